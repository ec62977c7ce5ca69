"""Delimited text (CSV), with or without coordinates. Lines without edits stay as they are."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from ..editing import GeometryChange, LayerSchema, RefusedError, Unchanged
from ..geometry import Geometry, GeometryType, Kind, Ordinate, write_wkt
from ..values import Field, FieldKind, Value, coerce_or_keep
from .guessing import guess_text_field, written
from .keys import key_field, without_key
from .rows import RowStore, replace_file

_LONGEST_CELL = 2**30
_LINE_END = "\r\n"


@dataclass(frozen=True)
class TextLayout:
    """The layout of a file. `x`, `y`, `z`: fields with coordinates; `wkt`: a field with well-known text."""

    encoding: str = "utf-8"
    delimiter: str = ","
    quote: str = '"'
    escape: str = '"'
    skipped_lines: int = 0
    has_header: bool = True
    decimal_point: str = "."
    detects_types: bool = True
    x: str | None = None
    y: str | None = None
    z: str | None = None
    wkt: str | None = None


@dataclass(frozen=True)
class TextRow:
    """The cells of a row, and its text including the end of line."""

    cells: tuple[str, ...]
    text: str


def layout_of(options: Mapping[str, str]) -> TextLayout:
    """Return the layout of a QGIS delimitedtext source. Raises RefusedError if it cannot be edited here."""
    kind = options.get("type", "csv")
    if kind not in ("csv", "plain") or len(delimiter := options.get("delimiter", ",").replace("\\t", "\t")) != 1:
        raise RefusedError(
            f"Delimited text of the type {kind} cannot be edited here; the delimiter must be a single character"
        )
    layout = TextLayout(
        encoding=options.get("encoding") or "utf-8",
        delimiter=delimiter,
        quote=options.get("quote", '"')[:1],
        escape=(options.get("escape") or '"')[0],
        skipped_lines=int(skipped) if (skipped := options.get("skipLines", "")).isdecimal() else 0,
        has_header=options.get("useHeader", "yes").lower() not in ("no", "false", "0"),
        decimal_point=options.get("decimalPoint") or ".",
        detects_types=options.get("detectTypes", "yes").lower() not in ("no", "false", "0"),
    )
    if options.get("geomType", "").lower() == "none":
        return layout
    x, y, z = (options.get(name) or None for name in ("xField", "yField", "zField"))
    return replace(layout, x=x, y=y, z=z, wkt=options.get("wktField") or None)


class DelimitedText:
    """A RowFormat. A field `fid` identifies features."""

    def __init__(self, path: Path, layout: TextLayout) -> None:
        self.name = path.name
        self._path = path
        self._layout = layout
        self._text, self._mark = _decode(path, layout.encoding)
        self._newline = "\r\n" if "\r\n" in self._text[:100_000] else "\n"
        self._head, self._names, self._rows = self._parse()
        self._places = {name: place for place, name in enumerate(self._names)}
        self._check()
        self._fields = [name for name in self._names if name != layout.wkt]
        key = key_field(self._fields)
        if key is None:
            raise without_key(path.name)
        self.key = self._field(key)
        self.writable = frozenset(self._fields)

    @property
    def schema(self) -> LayerSchema:
        """Fields of the narrowest type for all their values."""
        return self._schema

    @cached_property
    def _schema(self) -> LayerSchema:
        return LayerSchema({name: self._field(name) for name in self._fields}, self.key.name, self._geometry_type())

    def _parse(self) -> tuple[str, list[str], list[TextRow]]:
        """Return the text before the rows, the names of the columns, and the rows."""
        lines = io.StringIO(self._text, newline="").readlines()
        skipped = self._layout.skipped_lines
        head = "".join(lines[:skipped])
        rows = list(_read_rows(lines[skipped:], self._layout))
        if self._layout.has_header and rows:
            return head + rows[0].text, list(rows[0].cells), rows[1:]
        # QGIS's names for the columns of a file without header.
        names = [f"field_{number}" for number in range(1, len(rows[0].cells) + 1)] if rows else []
        return head, names, rows

    def _check(self) -> None:
        needed = {name for name in (self._layout.x, self._layout.y, self._layout.z, self._layout.wkt) if name}
        if missing := needed.difference(self._names):
            raise RefusedError(f"{self._path.name} has no column {', '.join(sorted(missing))}")

    def _field(self, name: str) -> Field:
        if not self._layout.detects_types:
            return Field(name, FieldKind.TEXT, blank_is_null=True)
        return guess_text_field(name, (self._cell(row, name) for row in self._rows))

    def _geometry_type(self) -> GeometryType | None:
        if self._layout.wkt:
            return GeometryType(Kind.GEOMETRY, Ordinate.FREE, Ordinate.FREE)
        if self._layout.x and self._layout.y:
            return GeometryType(Kind.POINT, Ordinate.PRESENT if self._layout.z else Ordinate.ABSENT)
        return None

    def rows(self) -> Sequence[TextRow | None]:
        """The rows after the header."""
        return self._rows

    def value(self, row: TextRow, name: str) -> Value:
        """Return the cell as a value of its field."""
        field = self.key if name == self.key.name else self.schema.fields[name]
        return coerce_or_keep(field, self._cell(row, name))

    def _cell(self, row: TextRow, name: str) -> str:
        place = self._places[name]
        cell = row.cells[place] if place < len(row.cells) else ""
        return cell.replace(self._layout.decimal_point, ".") if self._is_decimal(cell) else cell

    def _is_decimal(self, cell: str) -> bool:
        point = self._layout.decimal_point
        return point != "." and cell.count(point) == 1 and cell.replace(point, "").lstrip("+-").isdecimal()

    def new_row(self, attributes: Mapping[str, Value], geometry: Geometry | None) -> TextRow:
        """Return a row with these cells."""
        return self.changed_row(TextRow((), ""), attributes, geometry or Unchanged.GEOMETRY)

    def changed_row(self, row: TextRow, attributes: Mapping[str, Value], geometry: GeometryChange) -> TextRow:
        """Return the row with changed cells."""
        cells = dict(zip(self._names, [*row.cells, *[""] * len(self._names)], strict=False))
        cells |= {name: self._written(value) for name, value in attributes.items()}
        if not isinstance(geometry, Unchanged):
            cells |= self._geometry_cells(geometry)
        beyond = row.cells[len(self._names) :]
        return self._row((*cells.values(), *beyond))

    def _row(self, cells: tuple[str, ...]) -> TextRow:
        try:
            text = _format(cells, self._layout) + self._newline
        except csv.Error as error:
            raise RefusedError(f"The values cannot be written to {self._path.name}: {error}", (str(error),)) from error
        self._encode(text)
        return TextRow(cells, text)

    def _geometry_cells(self, geometry: Geometry | None) -> dict[str, str]:
        layout = self._layout
        if layout.wkt:
            return {layout.wkt: write_wkt(geometry) if geometry else ""}
        names = [name for name in (layout.x, layout.y, layout.z) if name]
        position = geometry.positions[0] if geometry and geometry.positions else ("",) * len(names)
        return {name: self._written(ordinate) for name, ordinate in zip(names, position, strict=True)}

    def _written(self, value: Value) -> str:
        if value is None:
            return ""
        if isinstance(value, float):
            text = str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
            return text.replace(".", self._layout.decimal_point)
        if isinstance(value, bool):
            return "true" if value else "false"
        return str(written(value))

    def _encode(self, text: str) -> bytes:
        try:
            return text.encode(self._layout.encoding)
        except UnicodeEncodeError as error:
            reason = f"The file's encoding, {self._layout.encoding}, cannot represent {text[error.start]!r}"
            raise RefusedError(reason) from error

    def write(self, rows: Sequence[TextRow | None]) -> frozenset[Path]:
        """Write the head and the rows."""
        texts = [self._head, *(row.text for row in rows if row is not None)]
        lines = [text if text.endswith(("\n", "\r")) else text + self._newline for text in texts if text]
        return replace_file(self._path, self._mark + self._encode("".join(lines)))


def open_delimited(path: Path, layout: TextLayout) -> RowStore[TextRow]:
    """Return the store of a delimited text file."""
    return RowStore(DelimitedText(path, layout))


def _decode(path: Path, encoding: str) -> tuple[str, bytes]:
    """Return the text and the byte order mark before it."""
    data = path.read_bytes()
    mark = b"\xef\xbb\xbf" if data.startswith(b"\xef\xbb\xbf") else b""
    try:
        return data[len(mark) :].decode(encoding), mark
    except LookupError as error:
        raise RefusedError(f"{path.name} has the encoding {encoding}, which is unknown here") from error
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, len(mark) + error.start) + 1
        raise RefusedError(
            f"line {line} of {path.name} is not in the encoding {encoding}; save the file in UTF-8"
        ) from error


def _read_rows(lines: Sequence[str], layout: TextLayout) -> Iterator[TextRow]:
    csv.field_size_limit(_LONGEST_CELL)
    reader = csv.reader(lines, _dialect(layout))
    start = 0
    for cells in reader:
        if cells:
            yield TextRow(tuple(cells), "".join(lines[start : reader.line_num]))
        start = reader.line_num


def _format(cells: Sequence[str], layout: TextLayout) -> str:
    buffer = io.StringIO(newline="")
    csv.writer(buffer, _dialect(layout)).writerow(cells)
    return buffer.getvalue().removesuffix(_LINE_END)


def _dialect(layout: TextLayout) -> type[csv.Dialect]:
    """Return the dialect. Quotes inside quotes are doubled, or follow the escape character."""

    class Layout(csv.Dialect):
        delimiter = layout.delimiter
        quotechar = layout.quote or None
        doublequote = layout.escape == layout.quote
        escapechar = None if layout.escape == layout.quote else layout.escape
        quoting = csv.QUOTE_MINIMAL if layout.quote else csv.QUOTE_NONE
        # The writer quotes texts with these characters.
        lineterminator = _LINE_END

    return Layout


def guess_layout(path: Path) -> TextLayout:
    """Guess the layout of a file without settings, like GDAL: the most frequent separator of the header."""
    with path.open("rb") as file:
        header = file.readline(100_000).decode("utf-8-sig", "replace")
    delimiter = max(",;\t|", key=header.count)
    layout = TextLayout(delimiter=delimiter, detects_types=False)
    names = next((row.cells for row in _read_rows([header], layout)), ())
    return replace(layout, wkt=next((name for name in names if name.upper() == "WKT"), None))
