"""The legend of projects that were saved before QGIS 2.4, which had no layer tree."""

from __future__ import annotations

from . import qgs_xml
from .qgs_xml import Element


def layer_ids(root: Element) -> list[str]:
    """Return the ids of the layers in the legend, top first."""
    return [layer_id for node in root.iterfind("legend//legendlayer") for layer_id in _ids(node)]


def remove(root: Element, layer_id: str) -> None:
    """Remove a layer from the legend."""
    for node in [node for node in root.iterfind("legend//legendlayer") if layer_id in _ids(node)]:
        qgs_xml.remove(node)


def _ids(node: Element) -> list[str]:
    return [file.get("layerid") or "" for file in node.iterfind("filegroup/legendlayerfile")]
