"""Guess the types of fields from all their values, like GDAL and QGIS, for formats without field types."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable
from dataclasses import replace
from datetime import date, datetime, time

from ..values import BadValueError, Field, FieldKind, Value, coerce

_TEXTUAL = (FieldKind.DATE, FieldKind.DATETIME, FieldKind.TIME)
#: Numbers as GDAL detects them. `007` is a text: a number would lose its zeros, for example those of a postal code.
_NUMBERS = {
    FieldKind.INTEGER: re.compile(r"[+-]?(0|[1-9][0-9]*)"),
    FieldKind.REAL: re.compile(r"[+-]?([0-9]|[1-9][0-9]+|(?=\.))(\.[0-9]*)?([eE][+-]?[0-9]+)?"),
}
_SHORTEST_DATE = len("2024-01-01")


def guess_field(name: str, values: Iterable[Value]) -> Field:
    """Return a field of the narrowest kind for all these JSON values; without values, of any kind."""
    present = [value for value in values if value is not None]
    kinds: set[type] = {type(value) for value in present}
    if not kinds:
        kind = FieldKind.ANY
    elif kinds == {bool}:
        kind = FieldKind.BOOLEAN
    elif kinds == {int}:
        kind = FieldKind.INTEGER
    elif kinds <= {int, float}:
        kind = FieldKind.REAL
    elif kinds == {str}:
        kind = _kind_of_texts(name, present)
    else:
        kind = FieldKind.JSON if kinds <= {list, dict} else FieldKind.ANY
    return Field(name, kind)


def guess_text_field(name: str, texts: Iterable[str]) -> Field:
    """Return a field of the narrowest kind for all these texts; an empty text is a missing value."""
    present = [text for text in texts if text != ""]
    for kind, looks in _NUMBERS.items():
        field = Field(name, kind, blank_is_null=True)
        if present and all(looks.fullmatch(text) and _holds(field, text) for text in present):
            return field
    return Field(name, _kind_of_texts(name, present), blank_is_null=True)


def written(value: Value) -> Value:
    """Return a value as JSON."""
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, datetime):
        return value.isoformat(timespec="milliseconds" if value.microsecond else "seconds").replace("+00:00", "Z")
    return value.isoformat() if isinstance(value, (date, time)) else value


def _kind_of_texts(name: str, texts: list[str]) -> FieldKind:
    for kind in _TEXTUAL:
        field = Field(name, kind)
        if texts and all(_looks_like(kind, text) and _holds(field, text) for text in texts):
            return kind
    return FieldKind.TEXT


def _looks_like(kind: FieldKind, text: str) -> bool:
    """Whether a text looks like a date or time. Python accepts more spellings: it reads `20240101` as a date."""
    if kind is FieldKind.TIME:
        return text[2:3] == ":"
    is_date = text[4:5] == "-" and text[7:8] == "-"
    return is_date and (len(text) == _SHORTEST_DATE) == (kind is FieldKind.DATE)


def _holds(field: Field, text: str) -> bool:
    try:
        coerce(replace(field, blank_is_null=False), text)
    except BadValueError:
        return False
    return text == text.strip()
