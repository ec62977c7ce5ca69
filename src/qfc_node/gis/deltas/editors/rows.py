"""Edit files that have to be rewritten: all rows in memory, a new file at the end.

A `RowFormat` reads and writes one format; `RowStore` finds, numbers, adds and removes rows.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Generic, Protocol, TypeVar

from ..editing import Feature, GeometryChange, LayerSchema, RefusedError
from ..geometry import Geometry
from ..values import FieldKind, Value

Row = TypeVar("Row")
_LARGEST_GIVEN_KEY = 2**53
#: Digits; anything longer is not the number of a feature.
_LONGEST_NUMBER = 19


class RowFormat(Protocol[Row]):
    """The content of one file. Rows are never changed in place, so that a refused edit changes nothing."""

    schema: LayerSchema

    def rows(self) -> Sequence[Row | None]:
        """Return the rows; None for each row that is marked as deleted."""
        ...

    def value(self, row: Row, name: str, /) -> Value:
        """Return the value of a field in a row."""
        ...

    def number(self, row: Row, position: int, /) -> int:
        """Return the number that identifies a row without a key field."""
        ...

    def new_row(self, number: int, attributes: Mapping[str, Value], geometry: Geometry | None, /) -> Row:
        """Return a row to add. Raises RefusedError."""
        ...

    def changed_row(self, row: Row, attributes: Mapping[str, Value], geometry: GeometryChange, /) -> Row:
        """Return a row that replaces `row`. Raises RefusedError."""
        ...

    def write(self, rows: Sequence[Row | None], /) -> frozenset[Path]:
        """Write the file; return the changed files. None stands for a deleted row."""
        ...


class RowStore(Generic[Row]):
    """A Store with one layer, and its LayerEditor."""

    def __init__(self, row_format: RowFormat[Row]) -> None:
        self._format = row_format
        self.schema = row_format.schema
        self._rows: list[Row | None] = list(row_format.rows())
        self._positions = {key: position for position, key in self._keys()}
        self._largest = max(map(_number, self._positions), default=0)
        self._is_changed = False

    def layer(self, name: str | None, number: int | None = None) -> RowStore[Row]:  # noqa: ARG002 -- there is only one
        """Return the only layer."""
        return self

    def find(self, key: str) -> Feature | None:
        """Return the row with that key; None without one."""
        position = self._positions.get(key)
        row = None if position is None else self._rows[position]
        if row is None:
            return None
        return Feature(key, {name: self._format.value(row, name) for name in self.schema.fields})

    def insert(self, attributes: Mapping[str, Value], geometry: Geometry | None) -> str:
        """Add a row at the end."""
        attributes, number = self._numbered(dict(attributes))
        row = self._format.new_row(number, attributes, geometry)
        self._rows.append(row)
        return self._register(row, len(self._rows) - 1)

    def update(self, feature: Feature, attributes: Mapping[str, Value], geometry: GeometryChange) -> str:
        """Replace the row."""
        position = self._positions[feature.key]
        row = self._rows[position]
        if row is None:
            raise RefusedError("Unable to find feature")
        self._rows[position] = changed = self._format.changed_row(row, attributes, geometry)
        return self._register(changed, position)

    def delete(self, feature: Feature) -> None:
        """Leave a gap where the row was."""
        self._rows[self._positions.pop(feature.key)] = None
        self._is_changed = True

    def commit(self) -> frozenset[Path]:
        """Write the file if it changed."""
        return self._format.write(self._rows) if self._is_changed else frozenset()

    def discard(self) -> None:
        """Do nothing: nothing has been written yet."""

    def _keys(self) -> Iterator[tuple[int, str]]:
        """Yield positions and keys, backwards: of two rows with the same key, the first counts."""
        for position in range(len(self._rows) - 1, -1, -1):
            row = self._rows[position]
            if row is not None:
                yield position, self._key(row, position)

    def _key(self, row: Row, position: int) -> str:
        if self.schema.key is None:
            return str(self._format.number(row, position))
        return str(self._format.value(row, self.schema.key))

    def _register(self, row: Row, position: int) -> str:
        key = self._key(row, position)
        self._positions[key] = position
        self._largest = max(self._largest, _number(key))
        self._is_changed = True
        return key

    def _numbered(self, attributes: dict[str, Value]) -> tuple[dict[str, Value], int]:
        """Return the attributes with an unused key, and an unused number."""
        name = self.schema.key
        if name is None:
            return attributes, self._next_number()
        key = attributes.get(name)
        if self.schema.fields[name].kind is not FieldKind.INTEGER:
            if key is None or str(key) in self._positions:
                raise RefusedError(f'The key field "{name}" needs a value that no other feature has')
        elif key is None or str(key) in self._positions or not 0 <= key <= _LARGEST_GIVEN_KEY:
            attributes[name] = self._next_number()
        return attributes, len(self._rows)

    def _next_number(self) -> int:
        """Return one more than the largest number so far; numbers of deleted rows are not used again."""
        self._largest += 1
        return self._largest


def _number(key: str) -> int:
    return int(key) if key.isascii() and key.isdecimal() and len(key) < _LONGEST_NUMBER else 0


def replace_file(path: Path, data: bytes) -> frozenset[Path]:
    """Replace a file unless its bytes are the same; return the changed files."""
    if path.exists() and path.read_bytes() == data:
        return frozenset()
    draft = path.with_name(f".{path.name}.draft")
    draft.write_bytes(data)
    draft.replace(path)
    return frozenset({path})
