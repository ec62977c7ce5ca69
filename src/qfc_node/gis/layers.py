"""Check whether the layers of a project are usable, and what identifies their features."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from . import delimited_text, gdal_vector, geopackage, references, zipped
from .datasource import DatabaseSource, FileSource, OtherSource, Source, TextSource
from .deltas.editing import Identity, RefusedError, UnidentifiedError
from .deltas.stores import Stores
from .geopackage import Table
from .geopackage_copy import accepts_filter
from .port import GisError
from .project import Layer, Project

NO_ERROR = "no_error"
_LOCALIZED = "localized_dataprovider"
_INVALID_PROVIDER = "invalid_dataprovider"
_INVALID_LAYER = "invalid_layer"
_GEOJSON = (".geojson", ".json")
_TIFF_MAGIC = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")


@dataclass(frozen=True)
class LayerState:
    """The state of a layer's data.

    `key` names the field that identifies features; None without a suitable one. `edit_problem` is the reason why
    devices cannot edit the layer, `identity` what edits will find its features by. `path` is the file of the data,
    `table` its description if the file is a GeoPackage.
    """

    layer: Layer
    error_code: str = NO_ERROR
    message: str = ""
    key: str | None = None
    edit_problem: str = ""
    lacks_key: bool = False
    identity: Identity | None = None
    path: Path | None = None
    table: Table | None = None

    @property
    def is_valid(self) -> bool:
        """Whether the layer can be used here."""
        return self.error_code == NO_ERROR

    @property
    def is_localized(self) -> bool:
        """Whether the data are only on the device."""
        return self.error_code == _LOCALIZED


def inspect_all(project: Project) -> dict[str, LayerState]:
    """Return the states of all layers by id, in the order of the layer tree."""
    stores = Stores(project)
    try:
        return {layer.id: inspect(project, layer, stores) for layer in project.layers}
    finally:
        stores.discard()


def inspect(project: Project, layer: Layer, stores: Stores) -> LayerState:
    """Inspect the data of a layer, as far as they are files of the project. Never fails."""
    try:
        state = _inspect(project, layer)
        is_of_files = layer.kind == "vector" and isinstance(layer.source, FileSource | TextSource)
        state = _identified(state, stores) if is_of_files and state.is_valid else state
        if state.identity is None and _is_read_by_its_editor(state):
            _open_with_gdal(layer.source, state.path)
        return state
    except GisError as error:
        return LayerState(layer, _INVALID_PROVIDER, str(error))
    except OSError as error:
        return LayerState(layer, _INVALID_PROVIDER, f"The data cannot be read: {error.strerror}.")


def unreached(state: LayerState, message: str) -> LayerState:
    """Return the state of a layer whose data cannot be reached."""
    return replace(state, error_code=_INVALID_PROVIDER, message=message)


def repeated(project: Project, layer: Layer) -> str:
    """Return what users should know about a layer whose id an earlier one has."""
    first = project.layer(layer.id)
    return (
        f"Layer '{layer.name}' was left out: it has the id '{layer.id}' of the layer '{first.name if first else ''}'."
        " Remove it in QGIS and add it again: it then gets an id of its own."
    )


def _identified(state: LayerState, stores: Stores) -> LayerState:
    """Return the state with what edits will find features by: the code that applies them says whether it can."""
    try:
        identity = stores.identity(state.layer)
    except RefusedError as error:
        return replace(state, edit_problem=str(error), lacks_key=isinstance(error, UnidentifiedError))
    except OSError:
        raise
    except Exception as error:  # noqa: BLE001 -- no layer may stop the others
        return replace(state, edit_problem=f"its data cannot be edited here: {type(error).__name__}: {error}")
    if "," in identity.key:
        return replace(state, edit_problem=f"the name of its key '{identity.key}' contains a comma", lacks_key=True)
    return replace(state, key=identity.key, identity=identity)


def _inspect(project: Project, layer: Layer) -> LayerState:
    if layer.element.get("embedded") == "1":
        return LayerState(layer, _INVALID_LAYER, "The layer is embedded from another project file.")
    match layer.source:
        case FileSource() as source if layer.kind == "vector":
            return _inspect_vector(project, layer, source)
        case FileSource() as source:
            return _inspect_file(project, layer, source)
        case TextSource() as source:
            return _inspect_text(project, layer, source)
        case DatabaseSource() as source:
            return _inspect_database(layer, source)
        case OtherSource() as source:
            return _inspect_other(layer, source)


def _inspect_database(layer: Layer, source: DatabaseSource) -> LayerState:
    problem = f"data of the provider '{layer.provider}' cannot be copied"
    return LayerState(layer, key=source.key or None, edit_problem=problem, lacks_key=not source.key)


def _inspect_other(layer: Layer, source: OtherSource) -> LayerState:
    if source.is_localized:
        return LayerState(layer, _LOCALIZED, "The data are expected on the device.")
    if not source.text and layer.kind not in ("annotation", "group", "plugin"):
        return LayerState(layer, _INVALID_PROVIDER, "The layer has no data source.")
    problem = f"data of the provider '{layer.provider}' cannot be copied" if layer.kind == "vector" else ""
    return LayerState(layer, edit_problem=problem, lacks_key=True)


def _inspect_file(project: Project, layer: Layer, source: FileSource) -> LayerState:
    path = project.locate(source)
    if path.is_file() and path.suffix.lower() in (".tif", ".tiff"):
        with path.open("rb") as stream:
            if stream.read(4) not in _TIFF_MAGIC:
                raise GisError(f"File '{path.name}' is not a TIFF.")
    if layer.kind == "raster" and path.suffix.lower() == ".gpkg":
        _check_raster_table(source, path)
    return LayerState(layer, path=path)


def _check_raster_table(source: FileSource, path: Path) -> None:
    """Check that a GeoPackage has the raster of a layer. Raises GisError."""
    with geopackage.open_read_only(path) as connection:
        names = geopackage.raster_names(connection)
    wanted = source.layer_name
    if not names or (wanted and wanted.lower() not in (name.lower() for name in names)):
        raise GisError(f"Raster '{wanted or 0}' not found in file '{path.name}'.")


def _inspect_vector(project: Project, layer: Layer, source: FileSource) -> LayerState:
    path = project.locate(source)
    if source.member is not None:
        path = zipped.gdal_path(path, zipped.member_of(path, source.member))
    elif path.suffix.lower() == ".gpkg":
        return _inspect_geopackage(layer, source, path)
    state = LayerState(layer, path=path)
    if _is_read_by_its_editor(state):
        references.check_family(path)
    elif gdal_vector.can_open(path):
        _open_with_gdal(source, path)
    return state


def _is_read_by_its_editor(state: LayerState) -> bool:
    """Whether what identifies the features shows that the file is sound, so that GDAL need not read it whole too."""
    source, path = state.layer.source, state.path
    if not isinstance(source, FileSource) or path is None or path.suffix.lower() not in _GEOJSON:
        return False
    is_whole = source.member is None and not source.subset
    return is_whole and source.layer_name in (None, path.stem) and not source.layer_id


def _open_with_gdal(source: Source, path: Path | None) -> None:
    """Check that GDAL reads the layer and its filter. Raises GisError."""
    assert isinstance(source, FileSource)  # callers ensure both
    assert path is not None
    with gdal_vector.open_layer(path, source.layer_name, source.layer_id) as opened:
        if source.subset:
            opened.set_filter(source.subset)


def _inspect_geopackage(layer: Layer, source: FileSource, path: Path) -> LayerState:
    with geopackage.open_read_only(path) as connection:
        table = geopackage.find_table(connection, source.layer_name, source.layer_id)
        if table is None:
            raise GisError(f"Layer '{source.layer_name or source.layer_id or 0}' not found in file '{path.name}'.")
        problem = accepts_filter(connection, table, source.subset) if source.subset else None
    if problem and "no such function" not in problem:
        return LayerState(layer, _INVALID_LAYER, f"Filter '{source.subset}': {problem}.", path=path, table=table)
    return LayerState(layer, path=path, table=table)


def _inspect_text(project: Project, layer: Layer, source: TextSource) -> LayerState:
    path = project.locate(source)
    if path.is_dir():
        raise GisError(f"The source is the folder '{project.file_name(path)}'; choose a text file in it instead.")
    names = delimited_text.column_names(source, path)
    try:
        if names is not None:
            delimited_text.check_geometry_columns(source, names)
    except GisError as error:
        return LayerState(layer, _INVALID_LAYER, str(error), path=path)
    return LayerState(layer, path=path)
