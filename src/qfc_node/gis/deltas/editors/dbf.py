"""dBASE tables, the attributes of shapefiles. Records are read and written one by one, so that those without edits keep
every byte. Widths, types and encoding of the file stay."""

from __future__ import annotations

import codecs
import math
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from pathlib import Path

from ..editing import RefusedError
from ..values import Field, FieldKind, Value, coerce_or_keep

DELETED = b"*"
_PRESENT = b" "
_HEADER = struct.Struct("<BBBBIHH")
_DESCRIPTOR = struct.Struct("<11sc4xBB14x")
_LANGUAGE_BYTE = 29
_KINDS = {
    "C": FieldKind.TEXT,
    "N": FieldKind.REAL,
    "F": FieldKind.REAL,
    "D": FieldKind.DATE,
    "L": FieldKind.BOOLEAN,
}
#: The signs for a missing value, as GDAL writes them.
_NULLS = {"N": b"*", "F": b"*", "D": b"0", "L": b"?"}
#: Code pages of the language byte that differ from the most common one, Windows-1252.
_LANGUAGES = {
    0x01: "cp437",
    0x02: "cp850",
    0x1F: "cp852",
    0x26: "cp866",
    0x57: "latin-1",
    0x64: "cp852",
    0x65: "cp866",
    0x7A: "cp936",
    0x7B: "cp932",
    0xC8: "cp1250",
    0xC9: "cp1251",
    0xCA: "cp1254",
    0xCB: "cp1253",
}
#: Largest relative difference of a number that is shortened to fit its field.
_TOLERANCE = 1e-9


@dataclass(frozen=True)
class DbfField:
    """A field and its place in a record. `width` in bytes."""

    field: Field
    type: str
    offset: int
    width: int
    decimals: int

    def slice_of(self, record: bytes) -> bytes:
        """Return the bytes of this field."""
        return record[self.offset : self.offset + self.width]


class Dbf:
    """A table. A record is bytes, of which the first marks it as deleted or not."""

    def __init__(self, path: Path, encoding: str | None, fallback: str | None = None) -> None:
        self._data = path.read_bytes()
        try:
            *_, self._count, self._header_length, self.record_length = _HEADER.unpack_from(self._data)
            self.encoding = encoding or _language(self._data[_LANGUAGE_BYTE]) or fallback or "utf-8"
            self.fields = {field.field.name: field for field in self._read_fields()}
        except (struct.error, IndexError, UnicodeDecodeError) as error:
            raise RefusedError(f"The file {path.name} is damaged or not a dBASE table: {error}") from error

    def _read_fields(self) -> list[DbfField]:
        fields: list[DbfField] = []
        place = 1
        for at in range(32, self._header_length - 1, 32):
            if self._data[at : at + 1] in (b"\r", b""):
                break
            raw_name, raw_type, width, decimals = _DESCRIPTOR.unpack_from(self._data, at)
            name = raw_name.split(b"\0")[0].decode(self.encoding, "replace").strip()
            kind = raw_type.decode("latin-1")
            fields.append(DbfField(_field(name, kind, width, decimals), kind, place, width, decimals))
            place += width
        if place > self.record_length:
            raise RefusedError(
                f"The table is damaged: its fields need {place} bytes, its records have {self.record_length}"
            )
        return fields

    @cached_property
    def records(self) -> list[bytes]:
        """All records, including those marked as deleted."""
        start, length = self._header_length, self.record_length
        records = [self._data[at : at + length] for at in range(start, start + self._count * length, length)]
        return [record for record in records if len(record) == length]

    def value(self, record: bytes, name: str) -> Value:
        """Return the value of a field in a record."""
        field = self.fields[name]
        raw = field.slice_of(record)
        if field.type not in _KINDS:
            return None
        text = raw.decode(self.encoding, "surrogateescape").rstrip(" \0")
        if field.type != "C":
            text = _plain(field, text.strip())
        return coerce_or_keep(field.field, text)

    def blank(self) -> bytes:
        """Return a record without values."""
        return self.changed(_PRESENT + b" " * (self.record_length - 1), dict.fromkeys(self.fields))

    def changed(self, record: bytes, values: Mapping[str, Value]) -> bytes:
        """Return the record with changed values. Raises RefusedError."""
        for name, value in values.items():
            field = self.fields[name]
            raw = self._encode(field, value)
            record = record[: field.offset] + raw + record[field.offset + field.width :]
        return record

    def _encode(self, field: DbfField, value: Value) -> bytes:
        if value is None:
            return _NULLS.get(field.type, b" ") * field.width
        try:
            text = _text(field, value)
            raw = text.encode(self.encoding)
        except UnicodeEncodeError as error:
            reason = f'Field "{field.field.name}": the file\'s encoding, {self.encoding}, cannot represent {value!r}'
            raise RefusedError(reason) from error
        if len(raw) > field.width:
            reason = f'Field "{field.field.name}": {value!r} needs {len(raw)} bytes, but the field has {field.width}'
            raise RefusedError(reason)
        return raw.ljust(field.width) if field.type == "C" else raw.rjust(field.width)

    def dump(self, records: list[bytes]) -> bytes:
        """Return the bytes of the file with these records, and today as the date of its last change."""
        today = date.today()
        head = _HEADER.pack(
            self._data[0],
            today.year - 1900,
            today.month,
            today.day,
            len(records),
            self._header_length,
            self.record_length,
        )
        return head + self._data[_HEADER.size : self._header_length] + b"".join(records) + b"\x1a"


def find_encoding(table: Path, wanted: str | None) -> str | None:
    """Return Python's name of the encoding that the project or a .cpg file beside the table names."""
    names = [wanted or ""]
    for suffix in (".cpg", ".CPG"):
        beside = table.with_suffix(suffix)
        if beside.is_file():
            names.append(beside.read_text("ascii", "replace").strip())
    return next((found for name in names if (found := find_codec(name))), None)


def find_codec(name: str) -> str | None:
    """Return Python's name of an encoding, which files write in many ways; None for an unknown one."""
    digits = "".join(filter(str.isdigit, name))
    for candidate in (name, f"cp{digits}", f"iso-{digits[:4]}-{digits[4:]}"):
        try:
            return codecs.lookup(candidate).name
        except (LookupError, ValueError):
            continue
    return None


def _language(code: int) -> str | None:
    return _LANGUAGES.get(code, "cp1252") if code else None


def _field(name: str, kind: str, width: int, decimals: int) -> Field:
    if kind == "N" and decimals == 0:
        limits = (-(10 ** (width - 1)) + 1, 10**width - 1)
        return Field(name, FieldKind.INTEGER, limits=limits, blank_is_null=True)
    known = _KINDS.get(kind)
    return Field(name, known or FieldKind.ANY, blank_is_null=True, is_writable=known is not None)


def _plain(field: DbfField, text: str) -> Value:
    """Return a text of the file as a device would send it; None for a missing value."""
    if not text or set(text) <= set(_NULLS[field.type].decode()):
        return None
    if field.type == "D":
        return f"{text[:4]}-{text[4:6]}-{text[6:8]}"
    return {"y": True, "n": False}.get(text.lower(), text) if field.type == "L" else text


def _text(field: DbfField, value: Value) -> str:
    match value:
        case bool():
            return "T" if value else "F"
        case float():
            return _real(field, value)
        case datetime() | date():
            return value.strftime("%Y%m%d")
        case _:
            return str(value)


def _real(field: DbfField, value: float) -> str:
    """Return a number with as many of the field's decimals as fit. Raises RefusedError if its value would change."""
    wanted = round(value, field.decimals)
    for text in (*(f"{value:.{decimals}f}" for decimals in range(field.decimals, -1, -1)), f"{value:.17g}"):
        if len(text) <= field.width and math.isclose(float(text), wanted, rel_tol=_TOLERANCE):
            return text
    reason = f'Field "{field.field.name}": {value!r} does not fit into {field.width} digits'
    raise RefusedError(f"{reason}, {field.decimals} of them decimals")
