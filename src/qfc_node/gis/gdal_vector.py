"""Read and copy vector files of all formats except GeoPackage with GDAL."""

from __future__ import annotations

import ctypes
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from ctypes import c_int, c_ubyte, c_void_p
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from . import drawings, references, sqlite_safety
from .emptied import read_example
from .gdal import GdalError, last_error, library, string_list
from .gdal_drivers import VECTOR_DRIVERS

_READ_VECTOR = 0x04
#: Numbers of lines and polygons, without Z and M.
_SINGLE_KINDS, _MULTI_KINDS = (2, 3), (5, 6)
_LITTLE_ENDIAN = 1
_DATABASES = ("SQLite", "GPKG")
#: A condition that no feature meets.
_NOTHING = "FID < 0"
#: Columns of text files are texts, unless a .csvt file beside them says otherwise, as in QGIS.
_PLAIN_TEXT = ("AUTODETECT_TYPE=NO", "KEEP_GEOM_COLUMNS=NO")
_LIST_TYPES = ("StringList", "IntegerList", "Integer64List", "RealList")


@dataclass(frozen=True)
class VectorLayer:
    """A layer of an open file. `key_column` is the column that numbers the features, if the format has one.

    `is_example`: the file has no features, and the one of the layer shows only its fields; nothing reads it.
    """

    dataset: c_void_p
    handle: c_void_p
    name: str
    key_column: str
    fields: tuple[str, ...]
    is_shapefile: bool = False
    is_example: bool = False

    def limited(self, condition: str | None) -> str | None:
        """Return the condition for the features of the file, if `condition` is asked for."""
        if not self.is_example:
            return condition
        return f"({condition}) AND {_NOTHING}" if condition else _NOTHING

    @property
    def feature_count(self) -> int:
        """Number of features; -1 if GDAL would have to count them."""
        return int(library().OGR_L_GetFeatureCount(self.handle, 0))

    @property
    def is_multi(self) -> bool:
        """Whether QGIS treats the layer as one of multi lines or polygons: so it does all of a shapefile."""
        kind = (int(library().OGR_L_GetGeomType(self.handle)) & 0x7FFFFFFF) % 1000
        return kind in _MULTI_KINDS or (self.is_shapefile and kind in _SINGLE_KINDS)

    def has(self, condition: str) -> bool:
        """Whether a feature meets the condition. Raises GdalError if it is invalid."""
        self.set_filter(condition)
        count = int(library().OGR_L_GetFeatureCount(self.handle, 1))
        self.set_filter(None)
        return count > 0

    def set_filter(self, text: str | None) -> None:
        """Read only features that match a filter. Raises GdalError if the filter is invalid."""
        condition = self.limited(text)
        if library().OGR_L_SetAttributeFilter(self.handle, condition.encode() if condition else None) != 0:
            raise GdalError(f"Filter {text!r}: {last_error()}.")

    def set_extent(self, xmin: float, ymin: float, xmax: float, ymax: float) -> None:
        """Read only features near a rectangle."""
        library().OGR_L_SetSpatialFilterRect(self.handle, xmin, ymin, xmax, ymax)

    def type_of(self, field: str) -> str:
        """Return GDAL's name of the type of a field: `Integer`, `String`, …"""
        definition = library().OGR_FD_GetFieldDefn(library().OGR_L_GetLayerDefn(self.handle), self.fields.index(field))
        return _text(library().OGR_GetFieldTypeName(library().OGR_Fld_GetType(definition)))

    def values(self, field: str) -> Iterator[str | None]:
        """Yield the text of one field of every feature; None for a missing value."""
        index = self.fields.index(field)
        library().OGR_L_ResetReading(self.handle)
        while feature := library().OGR_L_GetNextFeature(self.handle):
            is_set = library().OGR_F_IsFieldSetAndNotNull(feature, index)
            text = _text(library().OGR_F_GetFieldAsString(feature, index)) if is_set else None
            library().OGR_F_Destroy(feature)
            yield text

    def features(self, field: str | None = None) -> Iterator[tuple[bytes, str]]:
        """Yield geometry (WKB) and the text of one field of every feature that has a geometry."""
        index = self.fields.index(field) if field in self.fields else -1
        library().OGR_L_ResetReading(self.handle)
        while feature := library().OGR_L_GetNextFeature(self.handle):
            geometry = library().OGR_F_GetGeometryRef(feature)
            wkb = _to_wkb(geometry) if geometry else b""
            text: bytes = library().OGR_F_GetFieldAsString(feature, index) if index >= 0 else b""
            library().OGR_F_Destroy(feature)
            if wkb:
                yield wkb, text.decode("utf-8", "replace")


def can_open(path: Path) -> bool:
    """Whether files with that suffix are supported."""
    return path.suffix.lower() in VECTOR_DRIVERS


@contextmanager
def open_layer(
    path: Path, name: str | None = None, index: int | None = None, csv_options: Sequence[str] | None = None
) -> Generator[VectorLayer]:
    """Open one layer of a file; with `csv_options`, as delimited text. Raises GdalError if it cannot be read."""
    example = read_example(path)
    dataset = _open(path, csv_options, example)
    try:
        handle = _find_layer(dataset, name, index)
        if not handle:
            raise GdalError(f"Layer '{name or index or 0}' not found in file '{path.name}'.")
        layer = _describe(dataset, handle, path, is_example=example is not None)
        layer.set_filter(None)
        yield layer
    finally:
        library().GDALClose(dataset)


def copy_layer(
    layer: VectorLayer,
    target: Path,
    table: str,
    columns: tuple[str, str],
    crs: str,
    where: str | None,
    key: str | None = None,
    geometries: str | None = None,
) -> None:
    """Append a layer to the GeoPackage `target` as `table`, with new key and geometry columns named by `columns`.

    With `key`, the number of each feature becomes an ordinary field of that name; lists become JSON. `geometries`: the
    type of the table, if it is not the source's. `crs` is the coordinate system of the coordinates, which do not
    change. Raises GdalError.
    """
    references.check_system(crs)
    arguments = ["-f", "GPKG", "-update", "-append", "-nln", table, "-unsetFid"]
    arguments += ["-lco", f"FID={columns[0]}", "-lco", f"GEOMETRY_NAME={columns[1]}"]
    arguments += ["-mapFieldType", ",".join(f"{name}=String(JSON)" for name in _LIST_TYPES), "-gt", "unlimited"]
    arguments += ["-a_srs", crs] if crs else []
    arguments += ["-nlt", geometries] if geometries else []
    arguments += _selection(layer, layer.limited(where), key)
    options = library().GDALVectorTranslateOptionsNew(string_list(arguments), None)
    try:
        sources = (c_void_p * 1)(layer.dataset)
        failed = c_int()
        library().CPLErrorReset()
        result = library().GDALVectorTranslate(str(target).encode(), None, 1, sources, options, ctypes.byref(failed))
        if not result or failed.value:
            raise GdalError(f"Layer '{layer.name}' could not be copied: {last_error()}.")
        library().GDALClose(result)
    finally:
        library().GDALVectorTranslateOptionsFree(options)


def _selection(layer: VectorLayer, where: str | None, key: str | None) -> list[str]:
    if layer.name.startswith("-"):
        raise GdalError(f"The name of the layer '{layer.name}' looks like an option; rename the layer.")
    if where:
        references.check_condition(where)
    if key:
        name, key = (text.replace('"', '\\"') for text in (layer.name, key))
        statement = f'SELECT FID AS "{key}", * FROM "{name}"' + (f" WHERE {where}" if where else "")
        return ["-dialect", "OGRSQL", "-sql", statement]
    return [*(["-where", where] if where else []), layer.name]


def _open(path: Path, csv_options: Sequence[str] | None, content: str | None) -> c_void_p:
    """Open a file; with `content`, that text instead of the file's."""
    driver = "CSV" if csv_options else VECTOR_DRIVERS.get(path.suffix.lower())
    if driver is None:
        raise GdalError(f"Files like '{path.name}' are not supported.")
    if driver == "CSV" and not csv_options:
        csv_options = _PLAIN_TEXT
    _check(path, driver)
    library().CPLErrorReset()
    address, options = (content or str(path)).encode(), string_list(csv_options or [])
    dataset = library().GDALOpenEx(address, _READ_VECTOR, string_list([driver]), options, None)
    if not dataset:
        reason = last_error().replace(f"{path.parent}/", "")
        raise GdalError(f"File '{path.name}' cannot be read: {reason}.")
    return dataset


def _check(path: Path, driver: str) -> None:
    """Check that a file names nothing outside the project; `zipped.gdal_path` has checked those in zip files."""
    if path.is_relative_to("/vsizip"):
        return
    if driver in _DATABASES:
        try:
            sqlite_safety.check(path)
        except sqlite_safety.ERRORS as error:
            raise GdalError(f"File '{path.name}' cannot be read: {sqlite_safety.said(error)}.") from error
    references.check_family(path)
    references.check_table(path)
    drawings.check(path)


def _find_layer(dataset: c_void_p, name: str | None, index: int | None) -> c_void_p | None:
    if name is not None:
        return library().GDALDatasetGetLayerByName(dataset, name.encode())
    return library().GDALDatasetGetLayer(dataset, index or 0)


def _describe(dataset: c_void_p, handle: c_void_p, path: Path, is_example: bool) -> VectorLayer:
    gdal = library()
    definition = gdal.OGR_L_GetLayerDefn(handle)
    fields = (gdal.OGR_FD_GetFieldDefn(definition, i) for i in range(gdal.OGR_FD_GetFieldCount(definition)))
    names = tuple(_text(gdal.OGR_Fld_GetNameRef(field)) for field in fields)
    name, key = _text(gdal.OGR_L_GetName(handle)), _text(gdal.OGR_L_GetFIDColumn(handle))
    return VectorLayer(dataset, handle, name, key, names, path.suffix.lower() == ".shp", is_example)


def _text(value: Any) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else ""


def _to_wkb(geometry: c_void_p) -> bytes:
    size: int = library().OGR_G_WkbSize(geometry)
    buffer = (c_ubyte * size)()
    library().OGR_G_ExportToIsoWkb(geometry, _LITTLE_ENDIAN, buffer)
    return bytes(buffer)
