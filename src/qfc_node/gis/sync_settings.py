"""Settings for synchronisation that QFieldSync, the desktop plugin, stored in a project."""

from __future__ import annotations

from typing import Literal, cast

from .project import Layer, Project

Action = Literal["offline", "no_action", "copy", "keep_existent", "remove"]
ACTION = "QFieldSync/action"
CLOUD_ACTION = "QFieldSync/cloud_action"
UNSUPPORTED_KEY = "QFieldSync/unsupported_source_pk"
SOURCE_KEYS = "QFieldSync/sourceDataPrimaryKeys"
REMOTE_LAYER = "QFieldSync/remoteLayerId"
_SCOPE = "qfieldsync"
_ACTIONS = frozenset({"offline", "no_action", "copy", "keep_existent", "remove"})


def layer_action(layer: Layer) -> Action:
    """Return the treatment of a layer in a package: its cloud setting, else its cable setting, else the default."""
    properties = layer.custom_properties
    is_vector = layer.kind == "vector"
    for setting in (properties.text(CLOUD_ACTION), properties.text(ACTION)):
        if setting in _ACTIONS:
            return "no_action" if setting == "offline" and not is_vector else cast("Action", setting)
    return "offline" if is_vector else "no_action"


def attachment_directories(project: Project) -> list[str]:
    """Return the folders whose files devices download on demand, relative to the project."""
    listed = project.entries.texts(_SCOPE, "attachmentDirs")
    return ["DCIM"] if listed is None else [name for name in listed if name]


def data_directories(project: Project) -> list[str]:
    """Return the folders with other files that layers' forms show, relative to the project."""
    return [name for name in project.entries.texts(_SCOPE, "dataDirs") or [] if name]
