"""Read what a job's process answered. The process may be hostile: nothing is believed that the job may not decide."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path, PurePosixPath
from typing import Any, cast, get_args

from django.conf import settings

from ..box.work import ANSWER, OUTPUT, Answer, AnswerKind, MadeFile
from ..core.json_text import is_storable, made_storable, storable
from ..gis.database_rules import NOT_IN_THE_PLAN, DatabaseRules
from ..gis.port import OutcomeStatus
from .process import JobProcess
from .safe_files import read_within

#: Characters of a job's output that are kept, counted from its end.
OUTPUT_LIMIT = 500_000
#: Bytes of a larger answer than any project needs.
ANSWER_LIMIT = 256 * 1024**2
#: Bytes at the end of a crashed process's errors that are logged.
ERRORS_LIMIT = 4000


def read_answer(process: JobProcess, folder: Path, delta_ids: Collection[str]) -> Answer:
    """Return the answer of a process that has ended, or what its end says. Of outcomes only those of `delta_ids`."""
    content = read_within(folder, ANSWER, ANSWER_LIMIT)
    if content is None:
        return _of_end(process)
    with suppress(ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return _checked(json.loads(content), delta_ids)
    return Answer("crash", "The job's process gave an answer that cannot be read.", "CRASH")


def as_permitted(answer: Answer, rules: DatabaseRules) -> Answer:
    """Return the answer; that of a job which asks for a network without a right to databases is a failure.

    The engine asks only where the plan permits it, so such a job is no honest one.
    """
    if answer.kind != "needs_network" or rules.permitted:
        return answer
    return Answer("project_error", f"{NOT_IN_THE_PLAN}, and the job asked for a network.", "UNKNOWN")


def read_output(folder: Path) -> str:
    """Return the end of the job's output."""
    content = read_within(folder, OUTPUT, OUTPUT_LIMIT * 4) or b""
    return storable(content.decode("utf-8", "replace")[-OUTPUT_LIMIT:])


def _checked(found: Any, delta_ids: Collection[str]) -> Answer:
    values: dict[str, Any] = found if is_storable(found) else made_storable(found)
    if values["kind"] not in get_args(AnswerKind):
        raise ValueError(values["kind"])
    texts = {name: str(values[name]) for name in ("error", "error_type", "error_class", "error_stack")}
    return Answer(
        cast(AnswerKind, values["kind"]),
        **texts,
        steps=tuple(_step(step) for step in values["steps"]),
        files=tuple(_file(file) for file in values["files"]),
        details=None if values["details"] is None else dict(values["details"]),
        outcomes=tuple(_outcome(one) for one in values["outcomes"] if one["delta_id"] in delta_ids),
    )


def _step(step: dict[str, Any]) -> dict[str, Any]:
    return {"id": str(step["id"]), "name": str(step["name"]), "stage": step["stage"], "returns": dict(step["returns"])}


def _file(file: dict[str, Any]) -> MadeFile:
    name = str(file["name"])
    parts = PurePosixPath(name).parts
    if not parts or parts[0] == "/" or ".." in parts:
        raise ValueError(name)
    return MadeFile(name, str(file["path"]))


def _outcome(outcome: dict[str, Any]) -> dict[str, Any]:
    if outcome["status"] not in get_args(OutcomeStatus):
        raise ValueError(outcome["status"])
    key = outcome["modified_pk"]
    return {
        "delta_id": str(outcome["delta_id"]),
        "status": outcome["status"],
        "feedback": dict(outcome["feedback"]),
        "modified_pk": None if key is None else str(key),
    }


def _of_end(process: JobProcess) -> Answer:
    if process.seconds > settings.WORKER_TIMEOUT_S:
        return Answer("crash", f"The job did not finish within {settings.WORKER_TIMEOUT_S} seconds.", "TIMEOUT")
    code = process.exit_code or 0
    if code == os.EX_TEMPFAIL:
        return Answer("storage_fault", "The job's process could not write its output; the disk may be full.", "STORAGE")
    if code == -signal.SIGKILL:
        return Answer("crash", "The job's process was killed, probably for lack of memory.", "KILLED")
    reason = signal.Signals(-code).name if code < 0 else f"exit code {code}"
    return Answer("crash", f"The job's process ended unexpectedly: {reason}.", "CRASH")
