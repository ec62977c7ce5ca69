"""Draw a small map of a project without QGIS."""

from __future__ import annotations

import io
import sqlite3
import time
from collections.abc import Iterator, Mapping

from .datasource import FileSource
from .drawing.canvas import Canvas
from .drawing.features import read_features
from .drawing.symbols import parse_color, style_of
from .drawing.view import LayerProjection, View, bounding
from .gdal_raster import read_part
from .layers import LayerState
from .port import GisError, Log
from .project import Extent, Layer, Project
from .qgs_xml import Element, text_of
from .report import background_color

#: Size of the picture; it is drawn at twice that size, which smooths its edges.
WIDTH, HEIGHT = 400, 300
_OVERSAMPLING = 2
#: Higher levels take several times as long for hardly fewer bytes.
_COMPRESSION = 3
#: Seconds after which no further layer is read.
_SECONDS = 4.0
#: Errors of reading or drawing a layer; such a layer is missing in the picture.
_UNDRAWABLE = (OSError, ValueError, ArithmeticError, sqlite3.Error)


def _silent(_line: str) -> None:
    return None


def draw_thumbnail(
    project: Project, states: Mapping[str, LayerState], seconds: float = _SECONDS, log: Log = _silent
) -> bytes:
    """Return a PNG of the project's map canvas. Layers that cannot be drawn are left out and logged; never fails."""
    deadline = time.monotonic() + seconds
    extent = project.extent or _extent_of_layers(project, states) or Extent(0, 0, WIDTH, HEIGHT)
    view = View.around(extent, WIDTH * _OVERSAMPLING, HEIGHT * _OVERSAMPLING)
    canvas = Canvas(view, parse_color(_decimal(background_color(project))) or (255, 255, 255, 255))
    for layer_id in reversed(visible_layer_ids(project)):
        if time.monotonic() < deadline and states[layer_id].is_valid:
            _draw_layer(canvas, view, project, states[layer_id], deadline, log)
    stream = io.BytesIO()
    canvas.picture(_OVERSAMPLING).save(stream, "PNG", compress_level=_COMPRESSION)
    return stream.getvalue()


def visible_layer_ids(project: Project) -> list[str]:
    """Return the ids of the layers that are switched on together with all their groups, top first."""
    tree = project.root.find("layer-tree-group")
    visible: set[str] = set() if tree is None else set(_checked(tree))
    return [layer_id for layer_id in project.ordered_layer_ids() if layer_id in visible]


def _checked(group: Element) -> Iterator[str]:
    for node in group:
        if node.get("checked", "Qt::Checked") == "Qt::Unchecked":
            continue
        if node.tag == "layer-tree-group":
            yield from _checked(node)
        elif node.tag == "layer-tree-layer":
            yield node.get("id") or ""


def _draw_layer(canvas: Canvas, view: View, project: Project, state: LayerState, deadline: float, log: Log) -> None:
    try:
        projection = LayerProjection(state.layer.crs_definition, project.crs_definition)
        window = projection.window(view.extent)
        if window is None:
            return
        if state.layer.kind == "vector":
            _draw_vector(canvas, projection, state, window, deadline)
        elif state.layer.kind == "raster":
            _draw_raster(canvas, projection, state, window)
    except GisError as error:
        log(f"Layer '{state.layer.name}' is not in the thumbnail: {error}")
    except _UNDRAWABLE:
        return


def _draw_vector(
    canvas: Canvas, projection: LayerProjection, state: LayerState, window: Extent, deadline: float
) -> None:
    style = style_of(state.layer)
    drawn = read_features(state, window, style.attribute, deadline)
    canvas.draw_features(((shape, style.symbol(value)) for shape, value in drawn), projection, _opacity(state.layer))


def _draw_raster(canvas: Canvas, projection: LayerProjection, state: LayerState, window: Extent) -> None:
    if state.path and isinstance(state.layer.source, FileSource):
        part = read_part(state.path, window, WIDTH * _OVERSAMPLING)
        if part:
            canvas.draw_raster(part, projection, _opacity(state.layer))


def _opacity(layer: Layer) -> float:
    renderer = layer.element.find("pipe/rasterrenderer")
    text = text_of(layer.element, "layerOpacity") or (renderer.get("opacity") if renderer is not None else "")
    try:
        return min(1.0, max(0.0, float(text or 1)))
    except ValueError:
        return 1.0


def _extent_of_layers(project: Project, states: Mapping[str, LayerState]) -> Extent | None:
    corners: list[tuple[float, float]] = []
    for layer_id in visible_layer_ids(project):
        layer = states[layer_id].layer
        try:
            projection = LayerProjection(layer.crs_definition, project.crs_definition)
            extent = projection.extent_on_map(layer.extent) if layer.extent else None
        except GisError:
            continue
        if extent:
            corners += [(extent.xmin, extent.ymin), (extent.xmax, extent.ymax)]
    return bounding(corners)


def _decimal(color: str) -> str:
    return ",".join(str(part) for part in bytes.fromhex(color[1:]))
