"""The XML of a layer in a package: the new source of its data, and the origin of the data, which devices need."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from . import qgs_xml
from .datasource import FileSource, encode
from .geopackage_copy import Copied
from .layers import LayerState
from .project import Layer, Project
from .qgs_xml import Element
from .sync_settings import REMOTE_LAYER, SOURCE_KEYS, UNSUPPORTED_KEY

_NOT_NULL, _UNIQUE = 1, 2


def make_offline(state: LayerState, copied: Copied, data_file: Path) -> None:
    """Point a layer to its table in the package and record its origin."""
    layer = state.layer
    _remember_origin(state)
    source = layer.source
    subset = getattr(source, "subset", None) if copied.keeps_filter else None
    layer.set_source(FileSource(data_file, copied.table, subset=subset), "ogr")
    _hide_field(layer, copied.key)
    _lock_fields(layer, unwritable_fields(state, copied))
    _relax_constraints(layer, _filled_by_provider(state))


def unwritable_fields(state: LayerState, copied: Copied) -> list[str]:
    """Return the fields that devices see and edits of a file cannot write, such as generated columns."""
    return [name for name in copied.fields if state.identity and name not in state.identity.writable]


def make_read_only(layer: Layer, *, key_is_missing: bool) -> None:
    """Lock a layer whose edits could not be applied on the server."""
    layer.element.set("readOnly", "1")
    if key_is_missing:
        layer.custom_properties[UNSUPPORTED_KEY] = "1"


def point_references(project: Project, layers: Iterable[Layer]) -> None:
    """Update the references to these layers in the layer tree and in the forms of all layers."""
    by_id = {layer.id: layer for layer in layers}
    for node in project.tree_nodes():
        if layer := by_id.get(node.get("id") or ""):
            node.set("source", layer.datasource)
            node.set("providerKey", layer.provider)
    for layer in project.layers:
        _point_widgets(layer, by_id)
        _point_relations(layer, by_id)


def _remember_origin(state: LayerState) -> None:
    layer, properties = state.layer, state.layer.custom_properties
    properties.set_flag("isOfflineEditable", True)
    properties["remoteSource"] = encode(layer.source, layer.folder)
    properties["remoteProvider"] = layer.provider
    properties["remoteLayerId"] = layer.id
    properties["layerNameSuffix"] = ""
    properties[REMOTE_LAYER] = layer.id
    properties[SOURCE_KEYS] = state.key or ""


def _filled_by_provider(state: LayerState) -> set[str]:
    """Return the fields that the source fills in itself: its key, and columns with a default."""
    columns = state.table.columns if state.table else ()
    defaults = {column.name for column in columns if column.provider_default}
    return defaults | ({state.key} if state.key else set())


def _relax_constraints(layer: Layer, names: set[str]) -> None:
    """Relax constraints of fields that the source fills in, so that users in the field need not enter a value."""
    for constraint in qgs_xml.children(layer.element.find("constraints"), "constraint"):
        if constraint.get("field") in names:
            kept = int(constraint.get("constraints") or "0") & ~(_NOT_NULL | _UNIQUE)
            constraint.set("constraints", str(kept))
            constraint.set("notnull_strength", "0")
            constraint.set("unique_strength", "0")


def _hide_field(layer: Layer, name: str) -> None:
    """Hide the key of the copy, which has no meaning for users."""
    configuration = qgs_xml.child(layer.element, "fieldConfiguration")
    field = qgs_xml.add(configuration, "field", {"name": name, "configurationFlags": "None"})
    widget = qgs_xml.add(field, "editWidget", {"type": "Hidden"})
    qgs_xml.add(qgs_xml.add(widget, "config"), "Option")


def _lock_fields(layer: Layer, names: Iterable[str]) -> None:
    editable = qgs_xml.child(layer.element, "editable")
    known = {field.get("name"): field for field in qgs_xml.children(editable, "field")}
    for name in names:
        field = known.get(name)
        (qgs_xml.add(editable, "field", {"name": name}) if field is None else field).set("editable", "0")


def _point_widgets(layer: Layer, by_id: dict[str, Layer]) -> None:
    widgets = layer.element.iterfind("fieldConfiguration/field/editWidget")
    for widget in widgets:
        options = {option.get("name") or "": option for option in widget.iterfind("config/Option/Option")}
        _point_options(options, by_id, "Layer", "LayerSource", "LayerProviderName")
        _point_options(options, by_id, "ReferencedLayerId", "ReferencedLayerDataSource", "ReferencedLayerProviderKey")


def _point_options(
    options: dict[str, Element], by_id: dict[str, Layer], layer_id: str, source: str, provider: str
) -> None:
    found = options.get(layer_id)
    layer = by_id.get(found.get("value") or "") if found is not None else None
    if layer is None:
        return
    for name, value in ((source, layer.datasource), (provider, layer.provider)):
        if name in options:
            options[name].set("value", value)


def _point_relations(layer: Layer, by_id: dict[str, Layer]) -> None:
    for relation in layer.element.iterfind("referencedLayers/relation"):
        if referenced := by_id.get(relation.get("layerId") or ""):
            relation.set("dataSource", referenced.datasource)
            relation.set("providerKey", referenced.provider)
