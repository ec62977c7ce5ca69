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
#: The scopes of the project's own settings: as the desktop plugin writes it, and as QField does.
_SCOPES = ("QFieldSync", "qfieldsync")
_ACTIONS = frozenset({"offline", "no_action", "copy", "keep_existent", "remove"})


def layer_action(layer: Layer) -> Action:
    """Return the treatment of a layer in a package: its cloud setting, else its cable setting, else the default."""
    properties = layer.custom_properties
    is_vector = layer.kind == "vector"
    for setting in (properties.text(CLOUD_ACTION), properties.text(ACTION)):
        if setting in _ACTIONS:
            return "no_action" if setting == "offline" and not is_vector else cast("Action", setting)
    return "offline" if is_vector else "no_action"


def setting(project: Project, key: str) -> str:
    """Return a setting of the project as text; empty if it is unset."""
    return next((text for scope in _SCOPES if (text := project.entries.text(scope, key))), "")


def setting_is_on(project: Project, key: str) -> bool:
    """Whether a yes/no setting of the project is on."""
    return next((project.entries.flag(scope, key) for scope in _SCOPES if project.entries.text(scope, key)), False)


def attachment_directories(project: Project) -> list[str]:
    """Return the folders whose files devices download on demand, relative to the project."""
    listed = _listed(project, "attachmentDirs")
    return ["DCIM"] if listed is None else listed


def data_directories(project: Project) -> list[str]:
    """Return the folders with other files that layers' forms show, relative to the project."""
    return _listed(project, "dataDirs") or []


def _listed(project: Project, key: str) -> list[str] | None:
    lists = (project.entries.texts(scope, key) for scope in _SCOPES)
    found = next((names for names in lists if names is not None), None)
    return None if found is None else [name for name in found if name]
