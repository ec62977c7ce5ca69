"""What identifies the features of files without a primary key: a field whose values all differ."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from ..editing import UnidentifiedError
from ..values import INT64, Field, Value, coerce_or_keep

#: The name of the field that identifies features in formats without primary keys, as in QGIS.
KEY_NAME = "fid"
_LARGEST_REAL = 2**53
_LONGEST_KEY = 1000


def key_field(names: Iterable[str]) -> str | None:
    """Return the name of the field that identifies features; None without one."""
    found = [name for name in names if name.lower() == KEY_NAME]
    return KEY_NAME if KEY_NAME in found else next(iter(found), None)


def key_text(field: Field, value: Value) -> str | None:
    """Return a key as devices write it, whole numbers without decimals; None for a value that identifies nothing."""
    value = coerce_or_keep(field, value)
    if isinstance(value, float) and value.is_integer() and abs(value) <= _LARGEST_REAL:
        value = int(value)
    if isinstance(value, str):
        return value if 0 < len(value) <= _LONGEST_KEY else None
    is_number = isinstance(value, int) and not isinstance(value, bool)
    return str(value) if is_number and INT64[0] <= value <= INT64[1] else None


def prove(file: str, name: str, counts: Mapping[str, int], missing: int) -> frozenset[str]:
    """Return the keys of all features of a file. Raises UnidentifiedError unless every feature has its own.

    `counts`: how many features have each key; `missing`: how many have none.
    """
    if missing:
        raise unusable_keys(file, name, missing)
    shared = next((key for key, count in counts.items() if count > 1), None)
    if shared is not None:
        raise ambiguous(file, name, shared)
    return frozenset(counts)


def unusable_keys(file: str, name: str, count: int) -> UnidentifiedError:
    """Return the error about features without a key: null, or a value that is neither a whole number nor a text."""
    return UnidentifiedError(f'{count} features of {file} have no usable value in the field "{name}"')


def ambiguous(file: str, name: str, key: str) -> UnidentifiedError:
    """Return the error about a key that several features share."""
    return UnidentifiedError(f'Several features of {file} have the value "{key}" in the field "{name}"')


def without_key(file: str) -> UnidentifiedError:
    """Return the error about a file without such a field."""
    return UnidentifiedError(f'{file} has no field "{KEY_NAME}", so its features cannot be identified')
