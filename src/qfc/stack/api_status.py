"""What a server's `status/` says about itself, read once for health, checks and the gate of deployments.

Recorded answers: 2024 `{"geodb", "storage"}`; 2026 `{"database", "storage"}` beside the address of a status page and
what the operator wrote about incidents and maintenance; the embedded server also `queue`, and `code` and `message` with
503. Official servers answer 200 whatever they say, and repeat an answer for ten minutes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from .findings import Finding, Severity, clear, problem, unknown
from .model import ApiAnswer

STATUS = "/api/v1/status/"
#: The parts of a server that it judges itself. Anything else in the answer is no part.
PARTS = ("database", "geodb", "storage", "storages", "queue")
#: What the operator of the server tells its users.
NOTICES = ("incident_message", "maintenance_message")
OK = "ok"


def judge_status(answer: ApiAnswer, *, id: str = "api") -> Finding:
    """Judge an answer: 200, and every part of the server ok. What the operator wrote is shown and no fault."""
    document = answer.document
    if not isinstance(document, dict):
        return problem(id, Severity.CRITICAL, f"{STATUS} answered {answer.status} without JSON.")
    said = cast("Mapping[str, object]", document)
    parts = _parts(said)
    bad = [f"{name} {value}" for name, value in parts if value != OK]
    if answer.status != 200 or bad:
        words = ", ".join([*bad, *_texts(said, ("message",))])
        return problem(id, Severity.WARNING, f"{STATUS} answered {answer.status}{': ' if words else ''}{words}.")
    if not parts:
        return unknown(id, f"{STATUS} says nothing about database and storage: is this a QFieldCloud server?")
    return clear(id, "; ".join(["all parts ok", *_notices(said)]))


def _parts(said: Mapping[str, object]) -> list[tuple[str, str]]:
    """Return each part and what is said of it; a part may have several of its kind by their names."""
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
    return [f"the operator writes: {text}" for text in _texts(said, NOTICES)]


def _texts(said: Mapping[str, object], names: tuple[str, ...]) -> list[str]:
    return [value for name in names if isinstance(value := said.get(name), str) and value]
