"""Shapefiles with all their parts: .shp, .shx, .dbf, and spatial indexes."""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..editing import GeometryChange, LayerSchema, RefusedError, Unchanged
from ..geometry import Geometry
from ..values import Value
from .bounds import Bounds
from .dbf import Dbf, DbfRecord, find_codec, find_encoding
from .keys import key_field, without_key
from .rows import RowStore, replace_file
from .shapes import NULL_SHAPE, ShapeFile

#: Esri's spatial index. Its layout is not published; Esri's tools rebuild an empty one.
_ESRI_INDEX = (".sbn", ".sbx")
_GDAL_INDEX = ".qix"


@dataclass(frozen=True)
class ShapeRow:
    """A record of the .dbf and the matching one of the .shp."""

    record: DbfRecord
    shape: bytes


class Shapefile:
    """A RowFormat. A field `fid` identifies features."""

    def __init__(self, path: Path, encoding: str | None, fallback: str | None) -> None:
        self.name = path.name
        self._path = path
        self._dbf = Dbf(_part(path, ".dbf"), find_encoding(path, encoding), find_codec(fallback or ""))
        self._shapes = _read_shapes(path)
        key = key_field(self._dbf.fields)
        if key is None:
            raise without_key(path.name)
        self.schema = LayerSchema(
            fields={name: field.field for name, field in self._dbf.fields.items()},
            key=key,
            geometry=self._shapes.geometry_type if self._shapes else None,
        )
        self.key, self.writable = self.schema.fields[key], self.schema.writable

    def rows(self) -> Sequence[ShapeRow | None]:
        """Return pairs of record and shape."""
        records = self._dbf.records
        shapes = self._shapes.records if self._shapes else [NULL_SHAPE] * len(records)
        if len(shapes) != len(records):
            counts = f"{len(shapes)} shapes and {len(records)} records"
            raise RefusedError(f"{self._path.name} is damaged: it has {counts}")
        pairs = zip(records, shapes, strict=True)
        return [None if record.is_deleted else ShapeRow(record, shape) for record, shape in pairs]

    def value(self, row: ShapeRow, name: str) -> Value:
        """Return the value from the record."""
        return self._dbf.value(row.record, name)

    def new_row(self, attributes: Mapping[str, Value], geometry: Geometry | None) -> ShapeRow:
        """Return a row with these values."""
        return self.changed_row(ShapeRow(self._dbf.blank(), NULL_SHAPE), attributes, geometry)

    def changed_row(self, row: ShapeRow, attributes: Mapping[str, Value], geometry: GeometryChange) -> ShapeRow:
        """Return the row with changed values."""
        record = self._dbf.changed(row.record, attributes)
        if isinstance(geometry, Unchanged) or self._shapes is None:
            return ShapeRow(record, row.shape)
        return ShapeRow(record, self._shapes.encode(geometry))

    def write(self, rows: Sequence[ShapeRow | None]) -> frozenset[Path]:
        """Write the files without the deleted records."""
        kept = [row for row in rows if row is not None]
        files = {_part(self._path, ".dbf"): self._dbf.dump([row.record for row in kept])}
        files |= self._shape_files([row.shape for row in kept])
        return frozenset(path for place, data in files.items() for path in replace_file(place, data))

    def _shape_files(self, shapes: Sequence[bytes]) -> dict[Path, bytes]:
        """Return the files that change with the shapes, and their content."""
        if self._shapes is None or list(shapes) == self._shapes.records:
            return {}
        shp, shx = self._shapes.dump(shapes)
        files = {self._path: shp, _part(self._path, ".shx"): shx}
        indexes = [path for suffix in (_GDAL_INDEX, *_ESRI_INDEX) if (path := _part(self._path, suffix)).exists()]
        if indexes:
            files |= dict.fromkeys(indexes, b"")
            files[_part(self._path, _GDAL_INDEX)] = quadtree([self._shapes.bounds(shape) for shape in shapes])
        return files


def open_shapefile(path: Path, encoding: str | None = None, fallback: str | None = None) -> RowStore[ShapeRow]:
    """Return the store of a .shp, or of a .dbf alone; `fallback`: its encoding if the files name none."""
    return RowStore(Shapefile(path, encoding, fallback))


def quadtree(bounds: Sequence[Bounds | None]) -> bytes:
    """Return a .qix file with a single node, in MapServer's and GDAL's form: searches check every shape in it."""
    present = [(number, each) for number, each in enumerate(bounds) if each is not None]
    total: Bounds | None = None
    for _, each in present:
        total = each.union(total)
    numbers = [number for number, _ in present]
    head = struct.pack("<3sBB3xii", b"SQT", 1, 1, len(bounds), 1)
    node = struct.pack(f"<i4di{len(numbers)}ii", 0, *(total or (0.0,) * 4), len(numbers), *numbers, 0)
    return head + node


def _read_shapes(path: Path) -> ShapeFile | None:
    if path.suffix.lower() == ".dbf":
        return None
    index = _part(path, ".shx")
    return ShapeFile(path.read_bytes(), index.read_bytes() if index.exists() else None)


def _part(path: Path, suffix: str) -> Path:
    """Return a file of the set, ignoring the case of its suffix."""
    upper = path.with_suffix(suffix.upper())
    found = upper if upper.exists() else path.with_suffix(suffix)
    if suffix == ".dbf" and not found.exists():
        raise RefusedError(f"{path.name} has no attributes: the file {found.name} is missing")
    return found
