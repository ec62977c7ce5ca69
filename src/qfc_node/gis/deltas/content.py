"""Check and read a delta as a device sends it. docs/reference/deltas.md describes the format."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, cast

from ..port import Delta, DeltaMethod
from .editing import GeometryChange, Unchanged
from .geometry import BadWktError, read_wkt

_METHODS: dict[str, DeltaMethod] = {"create": "create", "patch": "patch", "delete": "delete"}
#: Longest layer id or key, in characters.
_LONGEST_NAME = 1000
_MOST_ATTRIBUTES = 10_000


class MalformedDeltaError(ValueError):
    """The delta is malformed; the message names the wrong entry."""


@dataclass(frozen=True)
class Edit:
    """The edit of a delta. `source_key`: the feature's key in the source, as far as the device knows it."""

    method: DeltaMethod
    layer_id: str
    local_layer_id: str
    client_id: str
    local_key: str
    source_key: str | None
    old_attributes: Mapping[str, Any]
    new_attributes: Mapping[str, Any]
    geometry: GeometryChange

    @property
    def identity(self) -> tuple[str, str, str]:
        """The identity of the feature on the device that edits it."""
        return self.client_id, self.local_layer_id, self.local_key

    def without(self, names: frozenset[str]) -> Edit:
        """Return the edit without the values of some fields."""
        old, new = (
            {name: value for name, value in attributes.items() if name not in names}
            for attributes in (self.old_attributes, self.new_attributes)
        )
        return replace(self, old_attributes=old, new_attributes=new)


def read_edit(delta: Delta) -> Edit:
    """Return the edit of a delta. Raises MalformedDeltaError."""
    content = _mapping(delta.content, "the delta")
    method = _METHODS.get(_name(content, "method") or "")
    if method is None:
        raise MalformedDeltaError('"method" must be create, patch or delete')
    local_layer_id = _name(content, "localLayerId") or ""
    layer_id = _name(content, "sourceLayerId") or local_layer_id
    if not layer_id:
        raise MalformedDeltaError('"sourceLayerId" and "localLayerId" are missing: the delta does not name a layer')
    old, new = (_state(content, entry) for entry in ("old", "new"))
    if method != "delete" and "new" not in content:
        raise MalformedDeltaError(f'"new" is missing; a {method} needs it')
    return Edit(
        method=method,
        layer_id=layer_id,
        local_layer_id=local_layer_id or layer_id,
        client_id=delta.client_id,
        local_key=_name(content, "localPk") or "",
        source_key=_name(content, "sourcePk"),
        old_attributes=_attributes(old, "old"),
        new_attributes=_attributes(new, "new"),
        geometry=Unchanged.GEOMETRY if method == "delete" else _geometry(method, old, new),
    )


def _mapping(value: Any, entry: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping) or not all(isinstance(name, str) for name in cast("Mapping[Any, Any]", value)):
        raise MalformedDeltaError(f"{entry} must be an object with named entries")
    return cast("Mapping[str, Any]", value)


def _state(content: Mapping[str, Any], entry: str) -> Mapping[str, Any]:
    value = content.get(entry)
    return {} if value is None else _mapping(value, f'"{entry}"')


def _name(content: Mapping[str, Any], entry: str) -> str | None:
    """Return a name or a key as text; numbers are accepted as they are written."""
    value = content.get(entry)
    if value is None or value == "":
        return None
    if isinstance(value, (bool, float)) or not isinstance(value, (str, int)):
        raise MalformedDeltaError(f'"{entry}" must be text')
    text = value if isinstance(value, str) else json.dumps(value)
    if len(text) > _LONGEST_NAME or "\0" in text:
        raise MalformedDeltaError(f'"{entry}" is longer than {_LONGEST_NAME} characters or contains a NUL character')
    return text


def _attributes(state: Mapping[str, Any], entry: str) -> Mapping[str, Any]:
    value = state.get("attributes")
    if value is None:
        return {}
    attributes = _mapping(value, f'"attributes" of "{entry}"')
    if len(attributes) > _MOST_ATTRIBUTES:
        raise MalformedDeltaError(
            f'"attributes" of "{entry}" has {len(attributes)} entries; at most {_MOST_ATTRIBUTES} are allowed'
        )
    return attributes


def _geometry(method: DeltaMethod, old: Mapping[str, Any], new: Mapping[str, Any]) -> GeometryChange:
    if "geometry" not in new:
        return Unchanged.GEOMETRY
    text = new["geometry"]
    if text is None:
        # Devices also send null if they know no geometry: only one that the device saw can be removed.
        return None if method == "create" or old.get("geometry") is not None else Unchanged.GEOMETRY
    if text == "":
        return Unchanged.BLANK
    if not isinstance(text, str):
        raise MalformedDeltaError('"geometry" must be well-known text or null')
    try:
        return read_wkt(text)
    except BadWktError as error:
        raise MalformedDeltaError(f'"geometry" is not well-known text: {error}') from error
