"""A device with the package of a project: it shows what it may edit, and writes its edits as QField does."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from delta_world import delta
from qfc_node.gis.deltas import apply_deltas
from qfc_node.gis.native import NativeEngine
from qfc_node.gis.port import ApplyReport, Delta, PackageReport
from qfc_node.gis.project import Layer, Project


@dataclass(frozen=True)
class DeviceLayer:
    """A layer that the device may edit: its table in the package, the names of its key there and in the source."""

    id: str
    table: str
    local_key: str
    source_key: str
    geometry: str | None
    #: Fields that the user may edit.
    fields: tuple[str, ...]


class FieldDevice:
    """Packages the project in `files` and holds what a device would see."""

    def __init__(self, project_file: Path, export: Path) -> None:
        export.mkdir()
        self._project_file = project_file
        self.report: PackageReport = NativeEngine().package(project_file, export, lambda _: None)
        self._folder = export
        (packaged,) = export.glob("*_qfield.qgs")
        self.project = Project.read(packaged)

    @property
    def notes(self) -> str:
        """What the job says about the layers."""
        return "\n".join(self.report.notes)

    def layer(self, layer_id: str) -> Layer:
        """A layer of the packaged project."""
        found = self.project.layer(layer_id)
        assert found is not None
        return found

    def editable(self) -> dict[str, DeviceLayer]:
        """The layers whose edits become deltas, by id."""
        found = (layer for layer in self.project.layers if layer.kind == "vector" and not layer.is_read_only)
        return {layer.id: self._described(layer) for layer in found if "isOfflineEditable" in layer.custom_properties}

    def _described(self, layer: Layer) -> DeviceLayer:
        table = layer.datasource.partition("layername=")[2].partition("|")[0]
        locked = {field.get("name") for field in layer.element.iterfind("editable/field[@editable='0']")}
        geometry = self._sql("SELECT column_name FROM gpkg_geometry_columns WHERE table_name = ?", table)
        columns = self._sql("SELECT name, pk FROM pragma_table_info(?)", table)
        local_key = next(name for name, in_key in columns if in_key)
        hidden = {local_key, *(name for (name,) in geometry)}
        source_key = layer.custom_properties.text("QFieldSync/sourceDataPrimaryKeys") or ""
        return DeviceLayer(
            layer.id,
            table,
            local_key,
            source_key,
            geometry[0][0] if geometry else None,
            tuple(name for name, _ in columns if name not in hidden | locked),
        )

    def rows(self, layer: DeviceLayer) -> list[dict[str, Any]]:
        """The features in the package."""
        with closing(sqlite3.connect(self._folder / "data.gpkg")) as connection:
            connection.row_factory = sqlite3.Row
            return [dict(row) for row in connection.execute(f'SELECT * FROM "{layer.table}"')]

    def geometry_type(self, layer: DeviceLayer) -> str:
        """The declared geometry type of a layer's table."""
        query = "SELECT geometry_type_name FROM gpkg_geometry_columns WHERE table_name = ?"
        return str(self._sql(query, layer.table)[0][0])

    def patch(self, layer: DeviceLayer, row: Mapping[str, Any], new: Mapping[str, Any], **more: Any) -> Delta:
        """A change of a feature of the package; `geometry=` for a new geometry."""
        old: dict[str, Any] = {"attributes": {name: row[name] for name in new}}
        changed: dict[str, Any] = {"attributes": dict(new)}
        if "geometry" in more:
            old["geometry"], changed["geometry"] = "Point (0 0)", more["geometry"]
        return delta("patch", layer.id, self._key(layer, row), local=row[layer.local_key], old=old, new=changed)

    def remove(self, layer: DeviceLayer, row: Mapping[str, Any]) -> Delta:
        """The removal of a feature of the package."""
        old = {"attributes": {name: row[name] for name in layer.fields if not isinstance(row[name], bytes)}}
        return delta("delete", layer.id, self._key(layer, row), local=row[layer.local_key], old=old)

    def create(self, layer: DeviceLayer, number: int, new: Mapping[str, Any], geometry: str | None) -> Delta:
        """A new feature, with all fields of the form."""
        attributes = {**dict.fromkeys(layer.fields), layer.local_key: number, **new}
        state = {"geometry": geometry, "attributes": attributes}
        return delta("create", layer.id, str(attributes.get(layer.source_key) or ""), local=number, new=state)

    def send(self, *deltas: Delta, overwrite: bool = False) -> ApplyReport:
        """Apply deltas to the project's files."""
        project = Project.read(self._project_file)
        return apply_deltas(project, deltas, overwrite_conflicts=overwrite, known_pks={}, log=lambda _: None)

    @staticmethod
    def _key(layer: DeviceLayer, row: Mapping[str, Any]) -> str:
        value = row[layer.source_key]
        return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)

    def _sql(self, query: str, *parameters: Any) -> list[tuple[Any, ...]]:
        with closing(sqlite3.connect(self._folder / "data.gpkg")) as connection:
            return connection.execute(query, parameters).fetchall()
