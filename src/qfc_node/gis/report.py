"""The server's report about a project: `project_details` with its `layers_by_id`."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from . import datasource
from .datasource import DatabaseSource, FileSource, OtherSource, TextSource
from .layers import LayerState
from .project import Layer, Project
from .sync_settings import ACTION, CLOUD_ACTION, UNSUPPORTED_KEY, attachment_directories, data_directories

#: `QgsMapLayerType` and the names QGIS gives its members.
_LAYER_TYPES = {
    "vector": (0, "Vector"),
    "raster": (1, "Raster"),
    "plugin": (2, "Plugin"),
    "mesh": (3, "Mesh"),
    "vector-tile": (4, "VectorTile"),
    "annotation": (5, "Annotation"),
    "point-cloud": (6, "PointCloud"),
    "group": (7, "Group"),
    "tiled-scene": (8, "TiledScene"),
}
#: `QgsWkbTypes`, two-dimensional; Z adds 1000, M 2000, ZM 3000.
_WKB_TYPES = {
    "Unknown": 0,
    "Point": 1,
    "LineString": 2,
    "Polygon": 3,
    "MultiPoint": 4,
    "MultiLineString": 5,
    "MultiPolygon": 6,
    "GeometryCollection": 7,
    "CircularString": 8,
    "CompoundCurve": 9,
    "CurvePolygon": 10,
    "MultiCurve": 11,
    "MultiSurface": 12,
    "PolyhedralSurface": 15,
    "TIN": 16,
    "Triangle": 17,
    "NoGeometry": 100,
}
_DIMENSIONS = {"": 0, "Z": 1000, "M": 2000, "ZM": 3000, "25D": 0x80000000}
_PASSWORD = re.compile(r"""((?:password|passwd|pwd|token|apikey)=)('(?:[^'\\]|\\.)*'|[^\s&|;]+)""", re.IGNORECASE)
_USER_INFO = re.compile(r"(://[^/@\s:]*):[^/@\s]*@")


def project_details(project: Project, states: Iterable[LayerState]) -> dict[str, Any]:
    """Return everything that `process_projectfile` reports, as plain JSON values."""
    extent = project.extent
    return {
        "project_name": project.title,
        "crs": project.crs,
        "extent": str(extent) if extent else "",
        "background_color": background_color(project),
        "qgis_version": project.version,
        "attachment_dirs": attachment_directories(project),
        "data_dirs": data_directories(project),
        "layers_by_id": layers_by_id(project, states),
        "ordered_layer_ids": project.ordered_layer_ids(),
    }


def layers_by_id(project: Project, states: Iterable[LayerState]) -> dict[str, Any]:
    """Return one entry per layer, by layer id."""
    return {state.layer.id: layer_entry(project, state) for state in states}


def layer_entry(project: Project, state: LayerState) -> dict[str, Any]:
    """Return the report about one layer; file names are relative to the project's files."""
    layer = state.layer
    properties = layer.custom_properties
    type_number, type_name = _LAYER_TYPES.get(layer.kind, (None, layer.kind))
    problem = None if state.is_valid else state.message
    return {
        "id": layer.id,
        "name": layer.name,
        "crs": layer.crs,
        "type": type_number,
        "type_name": type_name,
        "wkb_type": wkb_type(layer.geometry_type) if layer.kind == "vector" else None,
        "filename": _file_name(project, layer),
        "datasource": public_datasource(project, layer),
        "is_valid": state.is_valid,
        "is_localized": state.is_localized,
        "error_code": state.error_code,
        "error_summary": problem or "",
        "error_message": problem or "",
        "provider_name": layer.provider,
        "provider_error_summary": problem,
        "provider_error_message": problem,
        "qfs_action": properties.text(ACTION),
        "qfs_cloud_action": properties.text(CLOUD_ACTION),
        "qfs_photo_naming": properties.text("QFieldSync/photo_naming"),
        "qfs_is_geometry_locked": properties.text("QFieldSync/is_geometry_locked"),
        "qfs_unsupported_source_pk": properties.text(UNSUPPORTED_KEY),
        "qfc_source_data_pk_name": state.key,
    }


def background_color(project: Project) -> str:
    """Return the colour of the map canvas as `#rrggbb`."""
    parts = ("CanvasColorRedPart", "CanvasColorGreenPart", "CanvasColorBluePart")
    red, green, blue = (min(max(project.entries.number("Gui", part, 255), 0), 255) for part in parts)
    return f"#{red:02x}{green:02x}{blue:02x}"


def wkb_type(name: str) -> int:
    """Return the number of a geometry type from QGIS's name, such as `MultiPolygonZ`; 0 for an unknown one."""
    found = re.fullmatch(r"(.*?)(ZM|Z|M|25D|)", name)
    base, dimension = (found[1], found[2]) if found else (name, "")
    return _WKB_TYPES[base] + _DIMENSIONS[dimension] if base in _WKB_TYPES else 0


def public_datasource(project: Project, layer: Layer) -> str:
    """Return the datasource without secrets, its path relative to the project's files."""
    source = layer.source
    if isinstance(source, DatabaseSource):
        return redacted(layer.datasource)
    if isinstance(source, FileSource | TextSource) and source.path.is_relative_to(project.files_root):
        return datasource.encode(source, project.files_root).replace("./", "", 1)
    return redacted(layer.datasource)


def redacted(text: str) -> str:
    """Return a text without the passwords in connection strings and URLs."""
    return _USER_INFO.sub(r"\1:***@", _PASSWORD.sub(r"\1***", text))


def _file_name(project: Project, layer: Layer) -> str:
    match layer.source:
        case FileSource() | TextSource() as source:
            return project.file_name(source.path)
        case OtherSource() as source:
            return source.localized_path
        case _:
            return ""
