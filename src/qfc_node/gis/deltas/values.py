"""Convert attribute values from a device's JSON to a field's type, and compare them.

A device sends JSON: dates as ISO 8601 text, binary data as base64, lists and maps as they are. Between reading and
writing, values are Python's: int, float, bool, str, date, datetime, time, bytes, list, dict, None.
"""

from __future__ import annotations

import base64
import binascii
import json
import math
import reprlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from enum import Enum
from typing import Any

Value = Any

#: Longest text or base64, in characters; no edit by hand has more.
MAXIMUM_LENGTH = 64_000_000
INT64 = (-(2**63), 2**63 - 1)
_TRUTH = {"true": True, "t": True, "1": True, "false": False, "f": False, "0": False}
_SHORTENER = reprlib.Repr()
_SHORTENER.maxstring = 60


class FieldKind(Enum):
    """The type of a field. `ANY`: any value."""

    INTEGER = "an integer"
    REAL = "a real number"
    BOOLEAN = "a boolean"
    TEXT = "text"
    DATE = "a date"
    DATETIME = "a date and time"
    TIME = "a time"
    BINARY = "binary data"
    JSON = "JSON"
    ANY = "a value"


@dataclass(frozen=True)
class Field:
    """A field of a layer.

    `width`: most characters of a text. `limits`: smallest and largest integer. `single_precision`: a REAL of
    32 bits. `decimals`: numbers are rounded to as many. `blank_is_null`: the format cannot distinguish an empty text
    from null. `drops_blanks`: nor a text from one with blanks at its ends. `takes_null`: False if a null given on
    creation means the field's default.
    """

    name: str
    kind: FieldKind
    width: int | None = None
    limits: tuple[int, int] = INT64
    single_precision: bool = False
    decimals: int | None = None
    blank_is_null: bool = False
    drops_blanks: bool = False
    takes_null: bool = True
    is_writable: bool = True


class BadValueError(ValueError):
    """The field cannot store the value; the message names the field."""

    def __init__(self, field: Field, reason: str) -> None:
        super().__init__(f'Field "{field.name}": {reason}')


def coerce(field: Field, raw: Value) -> Value:
    """Return `raw` as a value of `field`. Raises BadValueError if anything would be lost."""
    if type(raw) is int and field.kind is FieldKind.INTEGER and field.limits[0] <= raw <= field.limits[1]:
        return raw  # the most frequent case by far
    if field.drops_blanks and isinstance(raw, str):
        raw = raw.strip(" ")
    if raw is None or (raw == "" and (field.blank_is_null or field.kind not in (FieldKind.TEXT, FieldKind.ANY))):
        return None
    if isinstance(raw, str):
        _check_text(field, raw)
    try:
        return _CONVERSIONS[field.kind](field, raw)
    except BadValueError:
        raise
    except (ValueError, TypeError, OverflowError, RecursionError) as error:
        raise BadValueError(field, f"{_shown(raw)} is not {field.kind.value}") from error


def coerce_or_keep(field: Field, raw: Value) -> Value:
    """Return `raw` as a value of `field`, or unchanged: files may contain values that do not fit their fields."""
    try:
        return coerce(field, raw)
    except BadValueError:
        return raw


def same(field: Field, one: Value, other: Value) -> bool:
    """Whether two values of the field mean the same: numbers, dates and times count by value."""
    one, other = coerce_or_keep(field, one), coerce_or_keep(field, other)
    if isinstance(one, datetime) and isinstance(other, datetime):
        return _same_moment(one, other)
    if isinstance(one, float) and isinstance(other, float):
        return math.isclose(one, other, rel_tol=1e-6 if field.single_precision else 1e-12)
    if isinstance(one, str) and isinstance(other, str):
        return one == other or _same_document(one, other)
    if isinstance(one, (int, float)) and isinstance(other, (int, float)):
        return one == other
    return type(one) is type(other) and one == other


def identical(one: Value, other: Value) -> bool:
    """Whether two values from `coerce` are the same, so that writing one over the other changes nothing."""
    if isinstance(one, datetime) and isinstance(other, datetime) and (one.tzinfo is None) != (other.tzinfo is None):
        return False
    return type(one) is type(other) and one == other


def _check_text(field: Field, text: str) -> None:
    if len(text) > MAXIMUM_LENGTH:
        raise BadValueError(field, f"the text is {len(text)} characters long; at most {MAXIMUM_LENGTH} are allowed")
    if "\0" in text:
        raise BadValueError(field, "the text contains a NUL character, which no format can store")
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise BadValueError(field, "the text is not valid Unicode") from error


def _integer(field: Field, raw: Value) -> int:
    number = _whole(raw, rounds=field.decimals == 0)
    low, high = field.limits
    if not low <= number <= high:
        raise BadValueError(field, f"{_shown(raw)} is outside the range {low} to {high}")
    return number


def _whole(raw: Value, rounds: bool) -> int:
    if isinstance(raw, str):
        try:
            return int(raw)
        except ValueError:
            raw = float(raw)
    if isinstance(raw, float) and rounds and math.isfinite(raw):
        raw = math.copysign(math.floor(abs(raw) + 0.5), raw)
    if isinstance(raw, float) and not raw.is_integer():
        raise ValueError("not a whole number")
    if not isinstance(raw, (int, float)):
        raise TypeError("not a number")
    return int(raw)


def _real(field: Field, raw: Value) -> float:
    if not isinstance(raw, (int, float, str)):
        raise TypeError("not a number")
    number = float(raw)
    if not math.isfinite(number):
        raise ValueError("not a finite number")
    return number if field.decimals is None else float(f"{number:.{field.decimals}f}")


def _boolean(_field: Field, raw: Value) -> bool:
    truth = _TRUTH.get(raw.lower()) if isinstance(raw, str) else raw
    if truth not in (0, 1):
        raise ValueError("neither true nor false")
    return bool(truth)


def _text(field: Field, raw: Value) -> str:
    text = raw if isinstance(raw, str) else _as_text(raw)
    if field.width is not None and len(text) > field.width:
        raise BadValueError(field, f"the text has {len(text)} characters, but only {field.width} fit")
    return text


def _as_text(raw: Value) -> str:
    if isinstance(raw, float) and raw.is_integer():
        return str(int(raw))
    if isinstance(raw, (date, time)):
        return raw.isoformat()
    if isinstance(raw, bytes):
        raise TypeError("binary data is not text")
    return json.dumps(raw, ensure_ascii=False, allow_nan=False)


def _date(_field: Field, raw: Value) -> date:
    if isinstance(raw, datetime):
        return raw.date()
    return raw if isinstance(raw, date) else datetime.fromisoformat(raw).date()


def _datetime(_field: Field, raw: Value) -> datetime:
    if isinstance(raw, datetime):
        return raw
    return datetime.combine(raw, time()) if isinstance(raw, date) else datetime.fromisoformat(raw)


def _time(_field: Field, raw: Value) -> time:
    if isinstance(raw, time):
        return raw
    return datetime.fromisoformat(raw).time() if "-" in raw or "T" in raw else time.fromisoformat(raw)


def _binary(_field: Field, raw: Value) -> bytes:
    """Decode base64 in either alphabet, padded or not: Qt writes the alphabet for URLs."""
    if isinstance(raw, bytes):
        return raw
    if not isinstance(raw, str):
        raise TypeError("not a text")
    text = raw.strip().replace("-", "+").replace("_", "/").rstrip("=")
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except binascii.Error as error:
        raise ValueError("not base64") from error


def _json(_field: Field, raw: Value) -> Value:
    """Return the document; a text is parsed if it is a JSON document."""
    if isinstance(raw, bytes):
        raise TypeError("binary data is not JSON")
    if isinstance(raw, str):
        try:
            return json.loads(raw, parse_constant=_refuse_constant)
        except ValueError:
            return raw
    json.dumps(raw, allow_nan=False).encode()
    return raw


def _refuse_constant(name: str) -> Value:
    raise ValueError(f"{name} is not valid JSON")


def _any(field: Field, raw: Value) -> Value:
    if isinstance(raw, int):
        return _integer(field, raw)
    if isinstance(raw, float):
        return _real(field, raw)
    return _as_text(raw) if isinstance(raw, (list, dict)) else raw


_CONVERSIONS: dict[FieldKind, Callable[[Field, Value], Value]] = {
    FieldKind.INTEGER: _integer,
    FieldKind.REAL: _real,
    FieldKind.BOOLEAN: _boolean,
    FieldKind.TEXT: _text,
    FieldKind.DATE: _date,
    FieldKind.DATETIME: _datetime,
    FieldKind.TIME: _time,
    FieldKind.BINARY: _binary,
    FieldKind.JSON: _json,
    FieldKind.ANY: _any,
}


def _same_moment(one: datetime, other: datetime) -> bool:
    """Compare to the millisecond, the precision of devices; if one has no time zone, compare the clock times."""
    if one.tzinfo is None or other.tzinfo is None:
        one, other = one.replace(tzinfo=UTC), other.replace(tzinfo=UTC)
    return abs((one - other).total_seconds()) < 0.001


def _same_document(one: str, other: str) -> bool:
    """Compare lists and maps in text fields without regard to white space."""
    if not (one[:1] in "[{" and one[:1] == other[:1]):
        return False
    try:
        return json.loads(one) == json.loads(other)
    except (ValueError, RecursionError):
        return False


def _shown(raw: Value) -> str:
    """Return a short form of a value, however long or deep it is."""
    return _SHORTENER.repr(raw)
