"""Apply one edit to one layer: find the feature, detect conflicts, write the changes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .content import Edit
from .created_keys import CreatedKeys
from .editing import Feature, GeometryChange, LayerEditor, LayerSchema, RefusedError, Unchanged
from .geometry import Geometry, UnfitGeometryError, fit
from .values import BadValueError, Value, coerce, identical, same

#: Key fields that only the device's own copy of a layer has.
_OFFLINE_KEY = re.compile(r"fid(_\d+)?", re.IGNORECASE)

#: Fields that a message names.
_MOST_NAMES = 10


class ConflictError(Exception):
    """The feature differs from what the device saw. `conflicts` names the attributes."""

    def __init__(self, conflicts: list[str]) -> None:
        super().__init__("There are conflicts with the already existing feature!")
        self.conflicts = conflicts


@dataclass(frozen=True)
class Applied:
    """An applied edit. `overwritten`: conflicts; `note`: a sentence about the source, for the feedback."""

    key: str
    overwritten: tuple[str, ...] = ()
    note: str = ""


def apply_edit(editor: LayerEditor, edit: Edit, keys: CreatedKeys, overwrite_conflicts: bool) -> Applied:
    """Apply the edit. Raises ConflictError or RefusedError; the layer then stays as it was."""
    _check_fields(editor.schema, edit)
    if edit.method == "create":
        return _create(editor, edit)
    feature = _find(editor, edit, keys)
    conflicts = _conflicts(editor.schema, edit, feature)
    if conflicts and not overwrite_conflicts:
        raise ConflictError(conflicts)
    if edit.method == "patch":
        return _patch(editor, edit, feature, keys.is_mapped(edit), tuple(conflicts))
    editor.delete(feature)
    return Applied(feature.key, overwritten=tuple(conflicts))


def _create(editor: LayerEditor, edit: Edit) -> Applied:
    schema = editor.schema
    attributes = {
        name: value
        for name, value in _values(schema, edit.new_attributes, lenient_key=True).items()
        if value is not None or schema.fields[name].takes_null
    }
    geometry = _fitted(schema, edit.geometry)
    return Applied(editor.insert(attributes, None if isinstance(geometry, Unchanged) else geometry))


def _find(editor: LayerEditor, edit: Edit, keys: CreatedKeys) -> Feature:
    key = keys.source_key(edit)
    feature = editor.find(key) if key else None
    if feature is None:
        raise RefusedError("Unable to find feature")
    return feature


def _patch(editor: LayerEditor, edit: Edit, feature: Feature, is_mapped: bool, overwritten: tuple[str, ...]) -> Applied:
    schema = editor.schema
    asked = {name: raw for name, raw in edit.new_attributes.items() if name != schema.key or not is_mapped}
    changes = {
        name: value for name, value in _values(schema, asked).items() if not identical(value, feature.attributes[name])
    }
    _check_key(schema, edit, changes)
    geometry = _fitted(schema, edit.geometry)
    if not changes and isinstance(geometry, Unchanged):
        return Applied(feature.key, overwritten)
    return Applied(editor.update(feature, changes, geometry), overwritten)


def _check_key(schema: LayerSchema, edit: Edit, changes: dict[str, Value]) -> None:
    """Ignore the device's own number for a feature, which is not a change; refuse any other change of a fixed key."""
    if schema.key not in changes or not schema.key_is_fixed:
        return
    if str(changes[schema.key]) != edit.local_key:
        raise RefusedError(f'The key field "{schema.key}" of a feature cannot be changed')
    del changes[schema.key]


def _conflicts(schema: LayerSchema, edit: Edit, feature: Feature) -> list[str]:
    """Compare the values that the device saw with the current ones, except the key, by which the feature was found."""
    return [
        f'The attribute "{name}" was {_shown(seen)} on the device and is {_shown(feature.attributes[name])} here'
        for name, seen in edit.old_attributes.items()
        if name in feature.attributes
        and name != schema.key
        and not same(schema.fields[name], seen, feature.attributes[name])
    ]


def _values(schema: LayerSchema, raw: Mapping[str, Any], lenient_key: bool = False) -> dict[str, Value]:
    values: dict[str, Value] = {}
    for name, value in raw.items():
        field = schema.fields.get(name)
        if field is None or not field.is_writable:
            continue
        try:
            values[name] = coerce(field, value)
        except BadValueError as error:
            # An invalid key, such as "Autogenerate", asks the source for a new one.
            if not (lenient_key and name == schema.key):
                raise RefusedError(str(error), (str(error),)) from error
    return values


def _check_fields(schema: LayerSchema, edit: Edit) -> None:
    """Refuse an edit of which a value would be lost: one that has changed, for a field that cannot be written."""
    seen, missing = edit.old_attributes, object()
    lost = [
        name
        for name, value in edit.new_attributes.items()
        if name not in schema.writable
        and value is not None
        and value != seen.get(name, missing)
        and not _OFFLINE_KEY.fullmatch(name)
    ]
    if lost:
        more = f" and {len(lost) - _MOST_NAMES} more" if len(lost) > _MOST_NAMES else ""
        names = ", ".join(lost[:_MOST_NAMES])
        raise RefusedError(
            f"The layer has no fields that take the values of: {names}{more}. Add them, and apply it again"
        )


def _fitted(schema: LayerSchema, geometry: GeometryChange) -> GeometryChange:
    if geometry is Unchanged.BLANK and schema.geometry is not None:
        raise RefusedError("The geometry is an empty text; a device removes a geometry with null")
    if not isinstance(geometry, Geometry):
        return Unchanged.GEOMETRY if schema.geometry is None else geometry
    if schema.geometry is None:
        raise RefusedError("The layer has no geometries, but the delta contains one")
    try:
        return fit(geometry, schema.geometry)
    except UnfitGeometryError as error:
        raise RefusedError(f"The geometry cannot be written: {error}", (str(error),)) from error


def _shown(value: Value) -> str:
    text = "null" if value is None else f'"{value}"'
    return text if len(text) <= 100 else f"{text[:97]}…"
