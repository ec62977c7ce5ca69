"""Edit files that GDAL can read and write but not edit (FlatGeobuf), by converting them to a GeoPackage and back.

A GeoPackage keeps everything in these formats: types and widths of fields, nulls, Z and M, the coordinate system.
"""

from __future__ import annotations

import ctypes
import tempfile
from collections import Counter
from ctypes import c_int, c_void_p
from functools import cached_property
from pathlib import Path

from ... import gdal_vector
from ...gdal import GdalError, last_error, library, string_list
from ...gdal_vector import VectorLayer
from ..editing import Identity, RefusedError
from ..values import Field, FieldKind
from .keys import key_field, key_text, prove, without_key
from .rows import replace_file
from .sqlite_layer import SqliteLayer
from .sqlite_store import SqliteStore

_TABLE = "features"
#: Names that no field of a source has.
_COLUMNS = ("row number of the copy", "geometry of the copy")
#: Kinds of key fields by GDAL's types.
_KEY_KINDS = {"Integer": FieldKind.INTEGER, "Integer64": FieldKind.INTEGER, "Real": FieldKind.REAL}


class FlatGeobufStore:
    """A Store over a .fgb file. Its features have no permanent numbers, so a field `fid` is required."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._folder: tempfile.TemporaryDirectory[str] | None = None

    def identity(self, name: str | None, number: int | None = None) -> Identity:  # noqa: ARG002 -- there is only one
        """Return the key field; every feature must have a value of its own."""
        try:
            with gdal_vector.open_layer(self._path) as opened:
                key, kind = _key_of(opened, self._path)
                counts = Counter(key_text(Field(key, kind), text) for text in opened.values(key))
                missing = counts.pop(None, 0)
                found = {key: count for key, count in counts.items() if key is not None}
                return Identity(key, frozenset(opened.fields), prove(self._path.name, key, found, missing))
        except GdalError as error:
            raise RefusedError(str(error)) from error

    def layer(self, name: str | None, number: int | None = None) -> SqliteLayer:  # noqa: ARG002 -- there is only one
        """Return the only layer."""
        return self._layer

    @cached_property
    def _copy(self) -> Path:
        self._folder = tempfile.TemporaryDirectory(prefix=".editing-", dir=self._path.parent)
        return Path(self._folder.name) / "copy.gpkg"

    @cached_property
    def _store(self) -> SqliteStore:
        return SqliteStore(self._copy)

    @cached_property
    def _layer(self) -> SqliteLayer:
        try:
            with gdal_vector.open_layer(self._path) as source:
                self._name = source.name
                key, _ = _key_of(source, self._path)
                gdal_vector.copy_layer(source, self._copy, _TABLE, _COLUMNS, "", None)
            return self._store.layer(_TABLE, key=key)
        except GdalError as error:
            raise RefusedError(str(error)) from error

    def commit(self) -> frozenset[Path]:
        """Rewrite the file if it changed."""
        if self._folder is None:
            return frozenset()
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
        if self._folder is not None:
            self._store.discard()
            self._folder.cleanup()


def _key_of(layer: VectorLayer, path: Path) -> tuple[str, FieldKind]:
    name = key_field(layer.fields)
    if name is None:
        raise without_key(path.name)
    return name, _KEY_KINDS.get(layer.type_of(name), FieldKind.ANY)


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
