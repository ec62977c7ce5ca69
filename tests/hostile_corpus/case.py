"""A hostile project: how it is made, and which layers of the engine hold it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

from gis_samples import layer_xml, project_xml
from hostile_corpus.canaries import Canaries

ACTIONS = ("report", "package", "apply")


@dataclass(frozen=True)
class Place:
    """Where a project is made: the files of the job, and the canaries around them."""

    files: Path
    canaries: Canaries


@dataclass(frozen=True)
class Case:
    """A kind of attack. `held_by`: layers that can be switched off (of `qfc_node.gis.defence`), each of which holds it.

    Another name says what holds it always: `list` (the source is of no kind that is opened).
    `reason`: what a job says about it.
    """

    name: str
    make: Callable[[Place], None]
    held_by: Sequence[str] = ()
    actions: Sequence[str] = ACTIONS
    deltas: Sequence[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    is_real: bool = True
    reason: str = ""


def project(place: Place, source: str, *, raster: bool = False, provider: str = "", **more: Any) -> None:
    """Write a project with one layer."""
    kind, default = ("raster", "gdal") if raster else ("vector", "ogr")
    properties = {"QFieldSync/cloud_action": more.pop("action", "offline")}
    parts = {name: more.pop(name) for name in ("tree", "properties_xml", "project_more") if name in more}
    layer = layer_xml("layer", source, kind=kind, provider=provider or default, properties=properties, **more)
    text = project_xml([layer], properties=parts.get("properties_xml", ""), more=parts.get("project_more", ""))
    (place.files / "survey.qgs").write_text(text, encoding="utf-8")


def delta(method: str, key: str, attributes: dict[str, Any] | None = None, geometry: Any = None) -> dict[str, Any]:
    """An edit of the layer, as a device sends it."""
    new: dict[str, Any] = {"attributes": attributes or {}}
    if geometry is not None:
        new["geometry"] = geometry
    return {
        "uuid": str(uuid4()),
        "clientId": "c",
        "exportId": "e",
        "method": method,
        "localPk": key,
        "sourcePk": key,
        "localLayerId": "layer",
        "sourceLayerId": "layer",
        **({"new": new} if method != "delete" else {}),
        **({"old": {"attributes": {}}} if method != "create" else {}),
    }
