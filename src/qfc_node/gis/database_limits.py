"""Keep devices from edits that the database would refuse: of fields that it alone writes, or without the rights."""

from __future__ import annotations

from . import qgs_xml
from .deltas.editors.postgres_schema import PostgresTable
from .project import Layer

#: QFieldSync's settings of a layer that forbid one kind of edit on devices.
_ADDING = "QFieldSync/is_feature_addition_locked"
_DELETING = "QFieldSync/is_feature_deletion_locked"
_CHANGING = ("QFieldSync/is_attribute_editing_locked", "QFieldSync/is_geometry_editing_locked")


def limit_editing(layer: Layer, table: PostgresTable) -> None:
    """Lock what cannot be edited."""
    rights = table.rights
    locked = [] if rights.insert else [_ADDING]
    locked += [] if rights.delete else [_DELETING]
    locked += [] if rights.update else _CHANGING
    for name in locked:
        layer.custom_properties.set_flag(name, True)
    for column in table.columns.values():
        if column.is_generated:
            _lock_field(layer, column.name)


def _lock_field(layer: Layer, name: str) -> None:
    fields = qgs_xml.child(layer.element, "editable")
    found = next((field for field in qgs_xml.children(fields, "field") if field.get("name") == name), None)
    field = qgs_xml.add(fields, "field", {"name": name}) if found is None else found
    field.set("editable", "0")
