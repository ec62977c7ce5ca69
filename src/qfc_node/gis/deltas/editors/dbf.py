"""dBASE tables, the attributes of shapefiles. Records are read and written one by one, so that those without edits keep
every byte. Types and encoding of the file stay; a field becomes wider if a value needs it, as in GDAL."""

from __future__ import annotations

import codecs
import math
import reprlib
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from functools import cached_property
from pathlib import Path

from ..editing import RefusedError
from ..values import Field, FieldKind, Value, coerce_or_keep

_DELETED = b"*"
_PRESENT = b" "
_HEADER = struct.Struct("<BBBBIHH")
_DESCRIPTOR = struct.Struct("<11sc4xBB14x")
_LANGUAGE_BYTE = 29
#: Where a descriptor has the width of its field.
_WIDTH_BYTE = 16
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
#: Largest relative difference of a number that is shortened to fit its field: such numbers count as the same.
_TOLERANCE = 1e-12
#: Most bytes of a field. GDAL reads a whole number as a real one if its field is wider than `_WIDEST_INTEGER`.
_WIDEST = {"C": 254, "N": 32, "F": 32}
_WIDEST_INTEGER = 18
_SHORTENER = reprlib.Repr()
_LONGEST_RECORD = 2**16 - 1


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

    @property
    def widest(self) -> int:
        """Most bytes to which the field may grow."""
        return _WIDEST_INTEGER if self.field.kind is FieldKind.INTEGER else _WIDEST.get(self.type, self.width)

    def padded(self, raw: bytes, width: int) -> bytes:
        """Return the bytes of a value in a field of that width."""
        return raw.ljust(width) if self.type == "C" else raw.rjust(width)


@dataclass(frozen=True)
class DbfRecord:
    """A record: its bytes, of which the first marks it as deleted or not. `longer`: values that need wider fields."""

    data: bytes
    longer: Mapping[str, bytes] = field(default_factory=dict[str, bytes])

    @property
    def is_deleted(self) -> bool:
        """Whether the record is marked as deleted."""
        return self.data.startswith(_DELETED)


class Dbf:
    """A table."""

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
    def records(self) -> list[DbfRecord]:
        """All records, including those marked as deleted."""
        start, length = self._header_length, self.record_length
        # The count in the header may be anything; what the file has counts.
        end = min(start + self._count * length, len(self._data))
        records = [self._data[at : at + length] for at in range(start, end, length)]
        return [DbfRecord(record) for record in records if len(record) == length]

    def value(self, record: DbfRecord, name: str) -> Value:
        """Return the value of a field in a record."""
        described = self.fields[name]
        raw = record.longer.get(name) or described.slice_of(record.data)
        if described.type not in _KINDS:
            return None
        text = raw.decode(self.encoding, "surrogateescape").rstrip(" \0")
        if described.type != "C":
            text = _plain(described, text.strip())
        return coerce_or_keep(described.field, text)

    def blank(self) -> DbfRecord:
        """Return a record without values."""
        return self.changed(DbfRecord(_PRESENT + b" " * (self.record_length - 1)), dict.fromkeys(self.fields))

    def changed(self, record: DbfRecord, values: Mapping[str, Value]) -> DbfRecord:
        """Return the record with changed values. Raises RefusedError."""
        data, longer = record.data, dict(record.longer)
        for name, value in values.items():
            described = self.fields[name]
            raw = self._encode(described, value)
            longer.pop(name, None)
            if len(raw) > described.width:
                longer[name] = raw
                raw = b" " * described.width
            data = data[: described.offset] + raw + data[described.offset + described.width :]
        return DbfRecord(data, longer)

    def _encode(self, described: DbfField, value: Value) -> bytes:
        if value is None:
            return _NULLS.get(described.type, b" ") * described.width
        name = described.field.name
        try:
            text = _text(described, value)
            raw = text.encode(self.encoding)
        except UnicodeEncodeError as error:
            reason = f'Field "{name}": the file\'s encoding, {self.encoding}, cannot represent {value!r}'
            raise RefusedError(reason) from error
        if len(raw) > described.widest:
            reason = f'Field "{name}": {_SHORTENER.repr(value)} needs {len(raw)} bytes'
            raise RefusedError(f"{reason}, but a field of such a table has at most {described.widest}")
        return described.padded(raw, described.width)

    def dump(self, records: list[DbfRecord]) -> bytes:
        """Return the bytes of the file with these records, and today as the date of its last change."""
        widths = self._widths(records)
        length = 1 + sum(widths.values())
        if length > _LONGEST_RECORD:
            raise RefusedError(f"The table's records would have {length} bytes; at most {_LONGEST_RECORD} are possible")
        is_wider = length > 1 + sum(each.width for each in self.fields.values())
        body = [self._wider(record, widths) for record in records] if is_wider else [each.data for each in records]
        return self._head(len(records), widths if is_wider else {}) + b"".join(body) + b"\x1a"

    def _widths(self, records: list[DbfRecord]) -> dict[str, int]:
        widths = {name: each.width for name, each in self.fields.items()}
        for record in records:
            widths |= {name: max(widths[name], len(raw)) for name, raw in record.longer.items()}
        return widths

    def _wider(self, record: DbfRecord, widths: Mapping[str, int]) -> bytes:
        values = (
            each.padded(record.longer.get(name) or each.slice_of(record.data), widths[name])
            for name, each in self.fields.items()
        )
        return record.data[:1] + b"".join(values)

    def _head(self, count: int, widths: Mapping[str, int]) -> bytes:
        """Return the header; `widths`, if any, are those of all fields."""
        today = date.today()
        length = 1 + sum(widths.values()) if widths else self.record_length
        start = (self._data[0], today.year - 1900, today.month, today.day, count, self._header_length, length)
        head = bytearray(_HEADER.pack(*start) + self._data[_HEADER.size : self._header_length])
        for place, width in enumerate(widths.values()):
            head[32 + 32 * place + _WIDTH_BYTE] = width
        return bytes(head)


#: Names of encodings have about ten characters.
_LONGEST_ENCODING = 40


def find_encoding(table: Path, wanted: str | None) -> str | None:
    """Return Python's name of the encoding that the project or a .cpg file beside the table names."""
    names = [wanted or ""]
    for suffix in (".cpg", ".CPG"):
        beside = table.with_suffix(suffix)
        if beside.is_file():
            names.append(_beginning(beside))
    return next((found for name in names if (found := find_codec(name))), None)


def _beginning(path: Path) -> str:
    """Return the name in a .cpg file. A longer text is no name, and Python would look for a module of that name."""
    with path.open("rb") as stream:
        return stream.read(_LONGEST_ENCODING).decode("ascii", "replace").strip()


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
    known = _KINDS.get(kind)
    described = Field(name, known or FieldKind.ANY, blank_is_null=True, is_writable=known is not None)
    if known is FieldKind.TEXT:
        return replace(described, drops_blanks=True)
    if known is not FieldKind.REAL:
        return described
    if kind == "N" and decimals == 0 and width <= _WIDEST_INTEGER:
        limits = (-(10 ** (_WIDEST_INTEGER - 1)) + 1, 10**_WIDEST_INTEGER - 1)
        return replace(described, kind=FieldKind.INTEGER, limits=limits, decimals=0)
    return replace(described, decimals=decimals)


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
    """Return a number with the field's decimals; with fewer if it fits only so and keeps its value, else longer."""
    texts = [f"{value:.{decimals}f}" for decimals in range(field.decimals, -1, -1)]
    alike = [text for text in (*texts, f"{value:.17g}") if math.isclose(float(text), value, rel_tol=_TOLERANCE)]
    fitting = (text for width in (field.width, field.widest) for text in alike if len(text) <= width)
    return next(fitting, texts[0])
