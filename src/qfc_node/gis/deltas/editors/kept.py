"""Whether a source kept an edit: triggers and rules may ignore a change, or undo it, without any error."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from ..editing import Feature, RefusedError
from ..values import Value, identical

_IGNORED = "A trigger of the source kept the feature from being {}"
_UNDONE = "A trigger of the source kept the old value of: {}"
_GEOMETRY = "A trigger of the source changed the geometry that was written"
_SECOND = timedelta(seconds=1)


def check_count(count: int, done: str) -> None:
    """Check the number of changed rows. `done`: added, changed or deleted. Raises RefusedError."""
    if count != 1:
        raise RefusedError(_IGNORED.format(done))


def check_values(before: Feature, asked: Mapping[str, Value], after: Mapping[str, Value]) -> None:
    """Check that no changed field has its old value still. Raises RefusedError.

    Values that a trigger made of the new ones, as by `upper`, are accepted, and so is rounding to the old value.
    """
    kept = [
        name
        for name, value in asked.items()
        if name in after
        and identical(after[name], before.attributes.get(name))
        and not identical(after[name], value)
        and not _is_rounded(value, after[name])
    ]
    if kept:
        raise RefusedError(_UNDONE.format(", ".join(sorted(kept)[:10])))


def check_geometry(is_as_written: bool) -> None:
    """Check that a geometry is as it was written. Raises RefusedError."""
    if not is_as_written:
        raise RefusedError(_GEOMETRY)


def _is_rounded(asked: Value, after: Value) -> bool:
    if isinstance(asked, int | float) and isinstance(after, int | float):
        return abs(asked - after) < 1 and not isinstance(asked, bool)
    if isinstance(asked, datetime) and isinstance(after, datetime):
        return (asked.tzinfo is None) == (after.tzinfo is None) and abs(asked - after) < _SECOND
    return False
