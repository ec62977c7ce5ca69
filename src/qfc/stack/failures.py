"""Why a job failed, or an edit is not in the data: cause, signature and fix, from the worker's entries in the row.

A failure that matches no known signature gets its error text, without the particulars of one job, as its signature;
the origin of the error decides about its cause.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .delta_signatures import BY_STATUS, DELTA_SIGNATURES, IN_DOUBT
from .job_signatures import JOB_SIGNATURES
from .model import Delta
from .signatures import Cause, Signature, find

#: Longer error texts are cut: they may contain the whole answer of a server.
ERROR_LENGTH = 500
UNKNOWN_FIX = "See its output: qfc jobs show ID; and the server's log of that time: qfc logs --job ID"
UNKNOWN_DELTA_FIX = "See the edit and the message of its last attempt: qfc deltas show ID"


@dataclass(frozen=True)
class Failure:
    """An explained failure of a job or edit. Failures of one kind share a `signature`; `fix` says what to type."""

    cause: Cause
    signature: str
    error: str
    fix: str


#: The differences between two failures of one kind: ids, paths, numbers, quoted names.
PARTICULARS = re.compile(r"[0-9a-f]{8}-[0-9a-f-]{27}|0x[0-9a-f]+|(?:/[\w.\-]+)+|'[^']*'|\"[^\"]*\"|\d+")


def classify(feedback: Mapping[str, Any] | None, output: str | None) -> Failure:
    """Explain a failed job from its feedback and the end of its output."""
    feedback = feedback or {}
    error = text_of(feedback, output)
    text = f"{feedback.get('error_type') or ''}\n{feedback.get('error') or ''}"
    signature = find(JOB_SIGNATURES, text) or find(JOB_SIGNATURES, output or "")
    if signature:
        return _known(signature, error)
    return Failure(_cause_by_origin(feedback), _general(error), error, UNKNOWN_FIX)


def classify_delta(delta: Delta) -> Failure | None:
    """Explain why an edit is not in the data; None where it is, or where it waits without any message."""
    if delta.status == "applied":
        return None
    reason = reason_of(delta)
    if delta.is_in_doubt:
        return _known(IN_DOUBT, reason)
    signature = _of_delta(delta, reason)
    if signature:
        return _known(signature, reason)
    return Failure(Cause.UNKNOWN, _general(reason), reason, UNKNOWN_DELTA_FIX) if reason else None


def reason_of(delta: Delta) -> str:
    """Return the message of the last attempt: the worker's `msg`, or `error` in older releases."""
    feedback = delta.feedback or {}
    return str(feedback.get("msg") or feedback.get("error") or "")


def _of_delta(delta: Delta, reason: str) -> Signature | None:
    """Find the signature of an edit: by its own message, by those of its job, by its state."""
    feedback = delta.feedback or {}
    words = "\n".join(str(feedback[key]) for key in ("e_type", "error_type", "provider_errors") if feedback.get(key))
    named = (one for one in DELTA_SIGNATURES if one.id == BY_STATUS.get(delta.status))
    known = find(DELTA_SIGNATURES, reason) or find(DELTA_SIGNATURES, words)
    return known or find(JOB_SIGNATURES, f"{reason}\n{words}") or next(named, None)


def _known(signature: Signature, error: str) -> Failure:
    return Failure(signature.cause, signature.name, error, signature.fix)


def text_of(feedback: Mapping[str, Any], output: str | None) -> str:
    """Return the error in one line: that of the feedback, else the last line of the output, else the error type."""
    written = str(feedback.get("error") or "").strip()
    lines = (written or (output or "").strip()).splitlines()
    line = (lines[0] if written else lines[-1]) if lines else str(feedback.get("error_type") or "")
    return line[:ERROR_LENGTH]


def _cause_by_origin(feedback: Mapping[str, Any]) -> Cause:
    """Distinguish failures of the worker itself from failures of its work."""
    if feedback.get("container_exit_code") in (-1, -2, 137):
        return Cause.SERVER
    match feedback.get("error_origin"):
        case "worker_wrapper":
            return Cause.SERVER
        case "container" if feedback.get("error_type") not in (None, "", "UNKNOWN"):
            return Cause.PROJECT
        case _:
            return Cause.UNKNOWN


def _general(error: str) -> str:
    """Return an error text without the particulars of one job."""
    return PARTICULARS.sub("…", error)[:80].strip() or "no reason given"
