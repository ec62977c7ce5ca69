"""The judgement of a server's `status/`, for health, checks and the gate of deployments.

Recorded answers: 2024 `{"geodb", "storage"}`; 2026 `{"database", "storage"}` plus the address of a status page and the
operator's notices about incidents and maintenance; the embedded server adds `queue`, and answers 503 with `code` and
`message`. Official servers answer 200 whatever the state, and repeat an answer for ten minutes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from .findings import Finding, Severity, clear, problem, unknown
from .model import ApiAnswer

STATUS = "/api/v1/status/"
#: The parts whose state a server reports. Everything else in the answer is not a part.
PARTS = ("database", "geodb", "storage", "storages", "queue")
#: Notices of the server's operator to its users.
NOTICES = ("incident_message", "maintenance_message")
OK = "ok"


def judge_status(answer: ApiAnswer, *, id: str = "api") -> Finding:
    """Judge an answer: ok means status 200 and every part ok. The operator's notices are shown, but are no fault."""
    document = answer.document
    if not isinstance(document, dict):
        return problem(id, Severity.CRITICAL, f"{STATUS} answered {answer.status} without JSON.")
    said = cast("Mapping[str, object]", document)
    parts = _parts(said)
    bad = [f"{name} {value}" for name, value in parts if value != OK]
    if answer.status != 200 or bad:
        words = ", ".join([*bad, *_texts(said, ("message",))])
        fault = f"{STATUS} answered {answer.status}{': ' if words else ''}{words}"
        return problem(id, Severity.WARNING, f"{'; '.join([fault, *_notices(said)])}.")
    if not parts:
        return unknown(id, f"{STATUS} reports neither database nor storage: is this a QFieldCloud server?")
    return clear(id, "; ".join(["all parts ok", *_notices(said)]))


def _parts(said: Mapping[str, object]) -> list[tuple[str, str]]:
    """Return each part with its state; a part with several members gives one pair per member."""
    found: list[tuple[str, str]] = []
    for name in PARTS:
        value = said.get(name)
        if isinstance(value, str):
            found.append((name, value))
        elif isinstance(value, dict):
            several = cast("Mapping[str, object]", value)
            found += [(f"{name}.{one}", str(state)) for one, state in several.items()]
    return found


def _notices(said: Mapping[str, object]) -> list[str]:
    return [f"notice of the operator: {text}" for text in _texts(said, NOTICES)]


def _texts(said: Mapping[str, object], names: tuple[str, ...]) -> list[str]:
    return [value for name in names if isinstance(value := said.get(name), str) and value]
