"""The geometry column of a table in PostGIS: read as ISO WKB with its bounds, written as a GeoPackage stores it."""

from __future__ import annotations

import re
import sqlite3
import struct
from collections.abc import Sequence
from typing import Any

from psycopg import sql

from .database_layers import DatabaseLayer
from .deltas.editors.geopackage_blob import write_blob
from .deltas.editors.postgres_columns import identifier
from .deltas.editors.postgres_schema import PostgresGeometry
from .deltas.geometry import GeometryType, Kind, Ordinate, UnfitGeometryError, fit, read_wkb
from .project import Layer
from .wkb import Envelope

_LAYER_TYPE = re.compile(r"(?P<kind>\w+?)(?:25D|(?P<z>Z)?(?P<m>M)?)")
_DIMENSIONS = {Ordinate.ABSENT: 0, Ordinate.PRESENT: 1, Ordinate.FREE: 2}
_LITTLE_ENDIAN, _WITH_ENVELOPE, _EMPTY = 0x01, 0x02, 0x10
_UNDEFINED = -1
_LINEAR_KINDS = Kind.GEOMETRYCOLLECTION
_EXTENSION = "http://www.geopackage.org/spec120/#extension_geometry_types"
#: Kinds by the number of dimensions of what they show, as layers of QGIS separate them.
_FAMILIES = (
    frozenset({Kind.POINT, Kind.MULTIPOINT}),
    frozenset({Kind.LINESTRING, Kind.MULTILINESTRING, Kind.CIRCULARSTRING, Kind.COMPOUNDCURVE, Kind.MULTICURVE}),
)


class GeometryCopy:
    """Copies the geometries of one layer. `unfit` counts those that the layer's type does not admit."""

    #: The number of columns that `readings` read.
    width = 5

    def __init__(self, origin: DatabaseLayer, layer: Layer) -> None:
        assert origin.table.geometry is not None  # callers ensure it
        self._column: PostgresGeometry = origin.table.geometry
        self._origin = origin
        self._type = _copied_type(self._column.type, layer.geometry_type)
        self._code = _code(self._type)
        self._srid = self._column.srid
        self.crs = layer.crs_definition
        self.unfit = 0

    @property
    def type_name(self) -> str:
        """The name of the type in a GeoPackage."""
        return self._type.kind.name

    @property
    def readings(self) -> list[sql.Composable]:
        """The expressions that read the geometry and its bounds."""
        geometry = self._expression
        names = ("st_xmin", "st_xmax", "st_ymin", "st_ymax")
        box = [sql.SQL("{}({})").format(self._named(name), geometry) for name in names]
        return [sql.SQL("{}({}, 'NDR')").format(self._named("st_asbinary"), geometry), *box]

    def near(self, bounds: Envelope) -> sql.Composed:
        """Return the condition that a geometry may meet a rectangle, which an index answers."""
        column, namespace = identifier(self._column.name), identifier(self._column.namespace)
        box = sql.SQL("{}({}, {}, {}, {}, {})").format(self._named("st_makeenvelope"), *bounds, self._srid)
        if self._column.is_geography:
            box = sql.SQL("{}::{}").format(box, self._named("geography"))
        return sql.SQL("{} OPERATOR({}.&&) {}").format(column, namespace, box)

    def blob(self, values: Sequence[Any]) -> tuple[bool, bytes | None]:
        """Return whether the layer shows a row with this geometry, and the geometry as GeoPackages store it."""
        wkb: bytes | None = values[0]
        if wkb is None:
            return True, None
        if self._code is None or struct.unpack_from("<I", wkb, 1)[0] == self._code:
            return True, _header(wkb, values[1:5], self._srid or _UNDEFINED) + wkb
        return self._fitted(wkb)

    def register(self, target: sqlite3.Connection, table: str, name: str, srs_id: int) -> None:
        """Add the rows that describe the column."""
        row = (table, name, self.type_name, srs_id, _DIMENSIONS[self._type.z], _DIMENSIONS[self._type.m])
        target.execute("INSERT INTO gpkg_geometry_columns VALUES (?, ?, ?, ?, ?, ?)", row)
        if self._type.kind > _LINEAR_KINDS:
            extension = (table, name, f"gpkg_geom_{self.type_name}", _EXTENSION, "read-write")
            target.execute("INSERT INTO gpkg_extensions VALUES (?, ?, ?, ?, ?)", extension)

    def register_srs(self, target: sqlite3.Connection) -> int:
        """Add the coordinate system as PostGIS describes it, and return its number."""
        query = sql.SQL("SELECT auth_name, auth_srid, srtext FROM {} WHERE srid = %s")
        table = self._named("spatial_ref_sys")
        found = self._origin.connection.execute(query.format(table), (self._srid,)).fetchone()
        if found is None:
            return _UNDEFINED
        name, number, text = found
        row = (f"{name}:{number}", self._srid, name or "NONE", number or self._srid, text or "undefined", None)
        target.execute("INSERT OR IGNORE INTO gpkg_spatial_ref_sys VALUES (?, ?, ?, ?, ?, ?)", row)
        return self._srid

    @property
    def _expression(self) -> sql.Composable:
        column = identifier(self._column.name)
        return sql.SQL("{}::{}").format(column, self._named("geometry")) if self._column.is_geography else column

    def _named(self, name: str) -> sql.Composable:
        return identifier(self._column.namespace, name)

    def _fitted(self, wkb: bytes) -> tuple[bool, bytes | None]:
        geometry = read_wkb(wkb)
        try:
            return True, write_blob(fit(geometry, self._type), self._srid or _UNDEFINED)
        except UnfitGeometryError:
            # A layer of points on a column of any type only shows the points.
            self.unfit += _family(geometry.kind) == _family(self._type.kind)
            return False, None


def _copied_type(column: GeometryType, layer_type: str) -> GeometryType:
    """Return the column's type; for a column of any type, that of the layer, as QGIS saw it."""
    found = _LAYER_TYPE.fullmatch(layer_type)
    kind = Kind.__members__.get(found["kind"].upper()) if found else None
    if column.kind is not Kind.GEOMETRY or column.z is not Ordinate.FREE or not found or not kind:
        return column
    has_z = found["z"] or layer_type.endswith("25D")
    z, m = (Ordinate.PRESENT if present else Ordinate.ABSENT for present in (has_z, found["m"]))
    return GeometryType(kind, z, m)


def _code(kind: GeometryType) -> int | None:
    """Return the number with which the WKB of a type begins; None if it is not always the same."""
    if kind.kind is Kind.GEOMETRY:
        return None
    return kind.kind + 1000 * (kind.z is Ordinate.PRESENT) + 2000 * (kind.m is Ordinate.PRESENT)


def _header(wkb: bytes, box: Sequence[float | None], srs_id: int) -> bytes:
    """Return the header of a blob. Points have no envelope, as in GDAL; empty geometries have no bounds."""
    is_point = struct.unpack_from("<I", wkb, 1)[0] % 1000 == Kind.POINT
    if box[0] is None:
        return struct.pack("<2sBBi", b"GP", 0, _LITTLE_ENDIAN | _EMPTY, srs_id)
    if is_point:
        return struct.pack("<2sBBi", b"GP", 0, _LITTLE_ENDIAN, srs_id)
    return struct.pack("<2sBBi4d", b"GP", 0, _LITTLE_ENDIAN | _WITH_ENVELOPE, srs_id, *box)


def _family(kind: Kind) -> int:
    return next((place for place, kinds in enumerate(_FAMILIES) if kind in kinds), len(_FAMILIES))
