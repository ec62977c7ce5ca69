"""Edit files that have to be rewritten: all rows in memory, a new file at the end.

A `RowFormat` reads and writes one format; `RowStore` finds, numbers, adds and removes rows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Generic, Protocol, TypeVar
from uuid import uuid4

from ..editing import Feature, GeometryChange, Identity, LayerSchema, RefusedError
from ..geometry import Geometry
from ..values import Field, Value, coerce, same
from .keys import ambiguous, key_text, prove

Row = TypeVar("Row")
_LARGEST_GIVEN_KEY = 2**53
#: Digits; anything longer is not the number of a feature.
_LONGEST_NUMBER = 19


class RowFormat(Protocol[Row]):
    """The content of one file. Rows are never changed in place, so that a refused edit changes nothing."""

    #: Name of the file, for messages.
    name: str
    #: The field that identifies features.
    key: Field
    #: Names of the fields that can be written.
    writable: frozenset[str]

    @property
    def schema(self) -> LayerSchema:
        """Fields, key and geometry type; computed if an edit needs it."""
        ...

    def rows(self) -> Sequence[Row | None]:
        """Return the rows; None for each row that is marked as deleted."""
        ...

    def value(self, row: Row, name: str, /) -> Value:
        """Return the value of a field in a row."""
        ...

    def new_row(self, attributes: Mapping[str, Value], geometry: Geometry | None, /) -> Row:
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
        self._key_name = row_format.key.name
        self._rows: list[Row | None] = list(row_format.rows())
        self._places: dict[str, list[int]] = {}
        self._nameless = 0
        for place, row in enumerate(self._rows):
            self._note(row, place)
        self._largest = max(map(_number, self._places), default=0)
        self._is_changed = False

    @property
    def schema(self) -> LayerSchema:
        """Fields, key and geometry type."""
        return self._format.schema

    def identity(self, name: str | None, number: int | None = None) -> Identity:  # noqa: ARG002 -- there is only one
        """Return the key field; every row must have a value of its own."""
        counts = {key: len(places) for key, places in self._places.items()}
        keys = prove(self._format.name, self._key_name, counts, self._nameless)
        return Identity(self._key_name, self._format.writable, keys)

    def layer(self, name: str | None, number: int | None = None) -> RowStore[Row]:  # noqa: ARG002 -- there is only one
        """Return the only layer."""
        return self

    def find(self, key: str) -> Feature | None:
        """Return the row with that key; None without one."""
        text = key_text(self._format.key, key)
        places = self._places.get(text or "", ())
        if len(places) > 1:
            raise ambiguous(self._format.name, self._key_name, key)
        row = self._rows[places[0]] if places else None
        if row is None or text is None:
            return None
        return Feature(text, {name: self._format.value(row, name) for name in self.schema.fields})

    def insert(self, attributes: Mapping[str, Value], geometry: Geometry | None) -> str:
        """Add a row at the end."""
        attributes = self._with_key(dict(attributes))
        row = self._format.new_row(attributes, geometry)
        self._check(row, attributes)
        self._rows.append(row)
        return self._register(row, len(self._rows) - 1)

    def update(self, feature: Feature, attributes: Mapping[str, Value], geometry: GeometryChange) -> str:
        """Replace the row."""
        (place,) = self._places[feature.key]
        row = self._rows[place]
        if row is None:
            raise RefusedError("Unable to find feature")
        changed = self._format.changed_row(row, attributes, geometry)
        self._check(changed, attributes)
        self._rows[place] = changed
        self._is_changed = True
        return feature.key

    def delete(self, feature: Feature) -> None:
        """Leave a gap where the row was."""
        (place,) = self._places.pop(feature.key)
        self._rows[place] = None
        self._is_changed = True

    def commit(self) -> frozenset[Path]:
        """Write the file if it changed."""
        return self._format.write(self._rows) if self._is_changed else frozenset()

    def discard(self) -> None:
        """Do nothing: nothing has been written yet."""

    def _key(self, row: Row) -> str | None:
        return key_text(self._format.key, self._format.value(row, self._key_name))

    def _note(self, row: Row | None, place: int) -> None:
        if row is None:
            return
        key = self._key(row)
        if key is None:
            self._nameless += 1
        else:
            self._places.setdefault(key, []).append(place)

    def _check(self, row: Row, attributes: Mapping[str, Value]) -> None:
        """Refuse a row that does not hold the values that were asked for."""
        for name, value in attributes.items():
            held = self._format.value(row, name)
            if not same(self.schema.fields[name], value, held):
                raise RefusedError(f'Field "{name}": {value!r} cannot be stored in {self._format.name}')

    def _register(self, row: Row, place: int) -> str:
        key = self._key(row)
        if key is None:
            raise RefusedError(f'The key field "{self._key_name}" needs a value')
        self._places[key] = [place]
        self._largest = max(self._largest, _number(key))
        self._is_changed = True
        return key

    def _with_key(self, attributes: dict[str, Value]) -> dict[str, Value]:
        """Return the attributes with a key that no other row has: the given one if it is free."""
        name = self._key_name
        given = attributes.get(name)
        key = key_text(self._format.key, given)
        if isinstance(given, str) and key is not None:
            if key in self._places:
                raise RefusedError(f'The key field "{name}" needs a value that no other feature has')
        elif key is None or key in self._places or not 0 <= int(key) <= _LARGEST_GIVEN_KEY:
            attributes[name] = coerce(self._format.key, self._new_key())
        return attributes

    def _new_key(self) -> int | str:
        """Return one more than the largest number so far, also of deleted rows; a UUID where keys are no numbers."""
        if any(not key.isdecimal() for key in self._places):
            return str(uuid4())
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
