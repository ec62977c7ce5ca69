"""Which driver edits which kind of source; each file or database is opened once a run."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from ..datasource import DatabaseSource, FileSource, TextSource
from ..port import MissingFileError
from ..project import Layer, Project
from .editing import LayerEditor, RefusedError, Store
from .editors.sqlite_store import SqliteStore

StoreOpener = Callable[[Path], Store]

_SQLITE = (".gpkg", ".sqlite", ".sqlite3", ".db", ".db3", ".spatialite")
_BY_SUFFIX: dict[str, StoreOpener] = dict.fromkeys(_SQLITE, SqliteStore)


class Stores:
    """The sources of a project that are being edited."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._open: dict[object, Store] = {}
        self._broken: dict[object, RefusedError] = {}

    def editor(self, layer: Layer) -> tuple[Store, LayerEditor]:
        """The editor of a layer and the store that it belongs to. Raises RefusedError."""
        if layer.kind != "vector":
            raise RefusedError(f'Layer "{layer.id}" is no vector layer; it has no features to edit')
        if layer.is_read_only:
            raise RefusedError(f'Cannot start editing layer "{layer.id}": the project says that it is read-only')
        match layer.source:
            case FileSource() as source:
                store = self._file(source)
                return store, store.layer(source.layer_name, source.layer_id)
            case TextSource() | DatabaseSource():
                raise NotImplementedError
            case _:
                raise RefusedError(f'Layer "{layer.id}" has a source ({layer.provider}) that cannot be edited here')

    def _file(self, source: FileSource) -> Store:
        try:
            path = self._project.locate(source)
        except MissingFileError as error:
            raise RefusedError(str(error)) from error
        opener = _BY_SUFFIX.get(path.suffix.lower())
        if opener is None:
            raise RefusedError(f"Files of the kind of {path.name} cannot be edited here")
        return self._opened(path, lambda: opener(path))

    def _opened(self, identity: object, open_store: Callable[[], Store]) -> Store:
        """A source that could not be opened once is not tried again for every delta."""
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
        """Every store that was opened."""
        return list(self._open.values())

    def discard(self) -> None:
        """Forget all edits that were not committed."""
        for store in self._open.values():
            store.discard()
