"""Choose the driver for each source; every file or database is opened once per run."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from ..datasource import DatabaseSource, FileSource, TextSource
from ..port import MissingFileError
from ..project import Layer, Project
from .editing import LayerEditor, RefusedError, Store
from .editors.sqlite_store import SqliteStore

_SQLITE = (".gpkg", ".sqlite", ".sqlite3", ".db", ".db3", ".spatialite")


class Stores:
    """The sources of a project that are being edited."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._open: dict[object, Store] = {}
        self._broken: dict[object, RefusedError] = {}
        self._layouts: dict[Path, object] = {}

    def editor(self, layer: Layer) -> tuple[Store, LayerEditor]:
        """Return the editor of a layer and its store. Raises RefusedError."""
        if layer.kind != "vector":
            raise RefusedError(f'Layer "{layer.id}" is not a vector layer and cannot be edited')
        if layer.is_read_only:
            raise RefusedError(f'Cannot start editing layer "{layer.id}": it is read-only in the project')
        match layer.source:
            case FileSource() as source:
                store = self._file(source, layer)
                return store, store.layer(source.layer_name, source.layer_id)
            case TextSource() as source:
                store = self._delimited(source)
                return store, store.layer(None)
            case DatabaseSource() as source:
                return self._database(source)
            case _:
                raise RefusedError(f'Layer "{layer.id}" has a source ({layer.provider}) that cannot be edited here')

    def _file(self, source: FileSource, layer: Layer) -> Store:
        path = self._path(source)
        return self._opened(path, lambda: _open_file(path, source, layer))

    def _delimited(self, source: TextSource) -> Store:
        from .editors.delimited import layout_of, open_delimited

        path, layout = self._path(source), layout_of(source.options)
        if self._layouts.setdefault(path, layout) != layout:
            raise RefusedError(f"{path.name} is being edited with another layer's settings; apply the delta again")
        return self._opened(path, lambda: open_delimited(path, layout))

    def _database(self, source: DatabaseSource) -> tuple[Store, LayerEditor]:
        # Loading the driver takes longer than editing a GeoPackage.
        from .editors.postgres import PostgresStore
        from .editors.postgres_connection import connection_of

        parameters = connection_of(source)
        store = self._opened(tuple(sorted(parameters.items())), lambda: PostgresStore(parameters))
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


def _open_file(path: Path, source: FileSource, layer: Layer) -> Store:
    """Return the store of a file, by the suffix of its name. Drivers are imported only if needed."""
    suffix = path.suffix.lower()
    if suffix in _SQLITE:
        return SqliteStore(path)
    if suffix in (".shp", ".dbf"):
        from .editors.shapefile import open_shapefile

        return open_shapefile(path, source.options.get("option:ENCODING"), _encoding(layer))
    if suffix in (".geojson", ".json"):
        from .editors.geojson import open_geojson

        return open_geojson(path)
    if suffix == ".fgb":
        from .editors.translated import FlatGeobufStore

        return FlatGeobufStore(path)
    if suffix in (".csv", ".tsv", ".txt"):
        from .editors.delimited import guess_layout, open_delimited

        return open_delimited(path, guess_layout(path))
    raise RefusedError(f"Files like {path.name} cannot be edited here; convert the file to a GeoPackage")


def _encoding(layer: Layer) -> str | None:
    """Return the encoding that the project names, for files that do not name their own."""
    provider = layer.element.find("provider")
    return provider.get("encoding") if provider is not None else None
