"""Choose the driver for each source; every file or database is opened once per run.

Packages and edits ask here alike: what packages let a device edit is what `identity` accepts, and `editor` finds the
features by the same key.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from ..datasource import DatabaseSource, FileSource, TextSource
from ..geometry_choice import chosen_geometries
from ..port import MissingFileError
from ..project import Layer, Project
from .editing import Identity, LayerEditor, RefusedError, Store
from .editors.sqlite_store import SqliteStore

if TYPE_CHECKING:
    from .editors.delimited import TextLayout

_SQLITE = (".gpkg", ".sqlite", ".sqlite3", ".db", ".db3", ".spatialite")
_TEXT = (".csv", ".tsv", ".txt")
#: Formats whose data sets are folders.
_FOLDERS_OF_A_FORMAT = (".gdb",)
#: Parts of a source that do not change how its features are read.
_HARMLESS_OPTIONS = frozenset({"geometrytype", "uniqueGeometryType", "option:ENCODING"})


class Stores:
    """The sources of a project that are being edited."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._open: dict[object, Store] = {}
        self._broken: dict[object, RefusedError] = {}
        self._layouts: dict[Path, object] = {}
        self._refused: dict[str, RefusedError] = {}

    def identity(self, layer: Layer) -> Identity:
        """Return what identifies the features of a layer. Reads only. Raises RefusedError if it cannot be edited."""
        store, name, number = self._source(layer)
        return store.identity(name, number)

    def editor(self, layer: Layer) -> tuple[Store, LayerEditor]:
        """Return the editor of a layer and its store; a refusal is final. Raises RefusedError."""
        if layer.id in self._refused:
            raise self._refused[layer.id]
        try:
            return self._editor(layer)
        except RefusedError as error:
            self._refused[layer.id] = error
            raise

    def _editor(self, layer: Layer) -> tuple[Store, LayerEditor]:
        if layer.is_read_only:
            raise RefusedError(f'Cannot start editing layer "{layer.id}": it is read-only in the project')
        if layer.kind == "vector" and isinstance(layer.source, DatabaseSource):
            return self._database(layer.source)
        store, name, number = self._source(layer)
        return store, store.layer(name, number)

    def _source(self, layer: Layer) -> tuple[Store, str | None, int | None]:
        """Return the store of a layer, and the layer's name and number in it."""
        if layer.kind != "vector":
            raise RefusedError(f'Layer "{layer.id}" is not a vector layer and cannot be edited')
        match layer.source:
            case FileSource() as source:
                return self._file(source, layer), source.layer_name, source.layer_id
            case TextSource() as source:
                return self._delimited(source), None, None
            case _:
                raise RefusedError(f"Data of the provider '{layer.provider}' cannot be edited here")

    def _file(self, source: FileSource, layer: Layer) -> Store:
        path = self._path(source)
        suffix = path.suffix.lower()
        if "geometrytype" in source.options and chosen_geometries(source) is None:
            raise RefusedError(f"The layer is limited to geometries of the type {source.options['geometrytype']}")
        if path.is_dir() and suffix not in _FOLDERS_OF_A_FORMAT:
            name = self._project.file_name(path)
            raise RefusedError(f"Its source is the folder '{name}'; choose a file in it as the layer's source instead")
        if suffix in _SQLITE:
            return self._opened(path, lambda: SqliteStore(path))
        if (member := source.member) is not None:
            return self._opened((path, member), lambda: _open_zipped(path, member, source, layer))
        unknown = [name for name in source.options if name not in _HARMLESS_OPTIONS]
        if unknown:
            raise RefusedError(f"{path.name} cannot be edited with the option {unknown[0]} of its layer")
        if suffix in _TEXT:
            return self._text(path, _guessed(path))
        return self._opened(path, lambda: _open_file(path, source, layer))

    def _delimited(self, source: TextSource) -> Store:
        from .editors.delimited import layout_of

        return self._text(self._path(source), layout_of(source.options))

    def _text(self, path: Path, layout: TextLayout) -> Store:
        from .editors.delimited import open_delimited

        if self._layouts.setdefault(path, layout) != layout:
            raise RefusedError(f"Another layer of the project reads {path.name} with other settings")
        return self._opened(path, lambda: open_delimited(path, layout))

    def _database(self, source: DatabaseSource) -> tuple[Store, LayerEditor]:
        # Loading the driver takes longer than editing a GeoPackage.
        from .editors.postgres import PostgresStore
        from .editors.postgres_connection import connect, editing_connection_of

        parameters = editing_connection_of(source)
        rules, folder = self._project.databases, self._project.files_root
        store = self._opened(
            tuple(sorted(parameters.items())), lambda: PostgresStore(lambda: connect(parameters, rules, folder))
        )
        if not isinstance(store, PostgresStore):
            raise RefusedError("The database cannot be reached")
        return store, store.layer_of(source)

    def _path(self, source: FileSource | TextSource) -> Path:
        try:
            return self._project.locate(source)
        except MissingFileError as error:
            raise RefusedError(str(error)) from error

    def _opened(self, identity: object, open_store: Callable[[], Store]) -> Store:
        """Return the store of a source; if opening it failed once, do not try again for every delta."""
        if identity in self._broken:
            raise self._broken[identity]
        if identity not in self._open:
            try:
                self._open[identity] = open_store()
            except RefusedError as error:
                self._broken[identity] = error
                raise
        return self._open[identity]

    def all(self) -> list[Store]:
        """Return every open store."""
        return list(self._open.values())

    def discard(self) -> None:
        """Drop all edits that were not committed."""
        for store in self._open.values():
            store.discard()


def _open_zipped(path: Path, member: str, source: FileSource, layer: Layer) -> Store:
    from .editors.zipped import ZippedStore

    return ZippedStore(path, member, lambda unpacked: _open_file(unpacked, source, layer))


def _open_file(path: Path, source: FileSource, layer: Layer) -> Store:
    """Return the store of a file, by the suffix of its name. Drivers are imported only if needed."""
    suffix = path.suffix.lower()
    if suffix in _SQLITE:
        return SqliteStore(path)
    if suffix in _TEXT:
        from .editors.delimited import open_delimited

        return open_delimited(path, _guessed(path))
    if suffix in (".shp", ".dbf"):
        from .editors.shapefile import open_shapefile

        return open_shapefile(path, source.options.get("option:ENCODING"), _encoding(layer))
    if suffix in (".geojson", ".json"):
        from .editors.geojson import open_geojson

        return open_geojson(path)
    if suffix == ".fgb":
        from .editors.translated import FlatGeobufStore

        return FlatGeobufStore(path)
    raise RefusedError(f"Files like {path.name} cannot be edited here; convert the file to a GeoPackage")


def _guessed(path: Path) -> TextLayout:
    from .editors.delimited import guess_layout

    return guess_layout(path)


def _encoding(layer: Layer) -> str | None:
    """Return the encoding that the project names, for files that do not name their own."""
    provider = layer.element.find("provider")
    return provider.get("encoding") if provider is not None else None
