"""Edit files that GDAL can read and write but not edit (FlatGeobuf), by converting them to a GeoPackage and back.

A GeoPackage keeps everything in these formats: types and widths of fields, nulls, Z and M, the coordinate system.
"""

from __future__ import annotations

import ctypes
import tempfile
from contextlib import suppress
from ctypes import c_int, c_void_p
from pathlib import Path

from ... import gdal_vector
from ...gdal import GdalError, last_error, library, string_list
from ..editing import RefusedError
from .rows import replace_file
from .sqlite_layer import SqliteLayer
from .sqlite_store import SqliteStore

_TABLE = "features"
#: Names that no field of a source has.
_COLUMNS = ("row number of the copy", "geometry of the copy")


class FlatGeobufStore:
    """A Store over a .fgb file. Its features have no permanent numbers, so a field `fid` is required."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._folder = tempfile.TemporaryDirectory(prefix=".editing-", dir=path.parent)
        self._copy = Path(self._folder.name) / "copy.gpkg"
        try:
            self._name, key = _copy_to_geopackage(path, self._copy)
            self._store = SqliteStore(self._copy)
            self._layer = self._store.layer(_TABLE, key=key)
        except (GdalError, RefusedError) as error:
            self._folder.cleanup()
            raise RefusedError(str(error)) from error

    def layer(self, name: str | None, number: int | None = None) -> SqliteLayer:  # noqa: ARG002 -- there is only one
        """Return the only layer."""
        return self._layer

    def commit(self) -> frozenset[Path]:
        """Rewrite the file if it changed."""
        has_nowhere = self._layer.has_missing_geometry()
        if not self._store.commit():
            return frozenset()
        draft = self._copy.with_name(self._path.name)
        try:
            _write_flatgeobuf(self._copy, draft, self._name, has_index=not has_nowhere)
        except GdalError as error:
            raise RefusedError(f"{self._path.name} cannot be written: {error}", (str(error),)) from error
        return replace_file(self._path, draft.read_bytes())

    def discard(self) -> None:
        """Remove the copy."""
        with suppress(AttributeError):
            self._store.discard()
        self._folder.cleanup()


def _copy_to_geopackage(path: Path, target: Path) -> tuple[str, str]:
    """Copy the layer; return its name and that of its key field."""
    with gdal_vector.open_layer(path) as source:
        key = next((name for name in source.fields if name.lower() == "fid"), None)
        if key is None:
            raise RefusedError(f'{path.name} has no field "fid", so its features cannot be identified')
        gdal_vector.copy_layer(source, target, _TABLE, _COLUMNS, "", None)
        return source.name, key


def _write_flatgeobuf(source: Path, target: Path, name: str, has_index: bool) -> None:
    """Write the file. The format's spatial index does not allow features without geometry."""
    arguments = ["-f", "FlatGeobuf", "-nln", name, "-lco", f"SPATIAL_INDEX={'YES' if has_index else 'NO'}", _TABLE]
    options = library().GDALVectorTranslateOptionsNew(string_list(arguments), None)
    try:
        with gdal_vector.open_layer(source, _TABLE) as opened:
            sources, failed = (c_void_p * 1)(opened.dataset), c_int()
            library().CPLErrorReset()
            made = library().GDALVectorTranslate(str(target).encode(), None, 1, sources, options, ctypes.byref(failed))
            if made:
                library().GDALClose(made)
            if not made or failed.value:
                raise GdalError(last_error())
    finally:
        library().GDALVectorTranslateOptionsFree(options)
