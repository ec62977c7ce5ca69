"""The feedback about each delta: outcomes with the keys that clients and the admin pages know."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

from ..port import Delta, DeltaOutcome, Feedback, OutcomeStatus

_STATUS = {
    "applied": "status_applied",
    "conflict": "status_conflict",
    "not_applied": "status_apply_failed",
    "error": "status_error",
}
#: Longest text in the feedback, in characters.
_LONGEST_TEXT = 2000
_ERROR_TYPE = {"applied": None, "conflict": "Conflict", "not_applied": "Error", "error": "Error"}


def outcome(
    index: int,
    delta: Delta,
    status: OutcomeStatus,
    message: str,
    *,
    modified_key: str | None = None,
    conflicts: Sequence[str] = (),
    provider_errors: Sequence[str] = (),
) -> DeltaOutcome:
    """Return the outcome of the delta at `index` of the run (from 0)."""
    content = _entries(delta.content)
    feedback: Feedback = {
        "msg": _storable(message),
        "e_type": _ERROR_TYPE[status],
        "method": _named(content, "method"),
        "status": _STATUS[status],
        "delta_id": delta.id,
        "layer_id": _named(content, "sourceLayerId") or _named(content, "localLayerId"),
        "conflicts": [_storable(text) for text in conflicts] or None,
        "feature_pk": _named(content, "sourcePk"),
        "delta_index": index,
        "modified_pk": _as_number(modified_key),
        "delta_file_id": delta.deltafile_id,
        "provider_errors": [_storable(text) for text in provider_errors] or None,
    }
    return DeltaOutcome(delta.id, status, feedback, modified_key)


def _entries(content: Any) -> Mapping[str, Any]:
    """Return the entries of a delta; none if it is malformed."""
    return cast("Mapping[str, Any]", content) if isinstance(content, Mapping) else {}


def _named(content: Mapping[str, Any], entry: str) -> str | int | None:
    """Return an entry of the delta if it has the right type, else None."""
    value = content.get(entry)
    return _storable(value) if isinstance(value, str) else value if isinstance(value, int) else None


def _storable(text: str) -> str:
    """Shorten a text and replace what a JSON column of PostgreSQL refuses: NUL and half surrogate pairs."""
    text = text if len(text) <= _LONGEST_TEXT else f"{text[:_LONGEST_TEXT]}…"
    return text.replace("\0", "\ufffd").encode(errors="replace").decode()


def _as_number(key: str | None) -> int | str | None:
    """Return a numeric key as a number."""
    is_number = key is not None and key.isascii() and key.isdecimal() and len(key) < 19
    return int(key) if key is not None and is_number else key
