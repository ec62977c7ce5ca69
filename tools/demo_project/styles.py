"""The styles of the layers: renderers and labels."""

from __future__ import annotations

from collections.abc import Callable

from qgis.core import (
    QgsCategorizedSymbolRenderer,
    QgsFillSymbol,
    QgsLineSymbol,
    QgsMarkerLineSymbolLayer,
    QgsMarkerSymbol,
    QgsPalLayerSettings,
    QgsProperty,
    QgsRendererCategory,
    QgsSingleSymbolRenderer,
    QgsSymbol,
    QgsTextBufferSettings,
    QgsTextFormat,
    QgsUnitTypes,
    QgsVectorLayer,
    QgsVectorLayerSimpleLabeling,
)
from qgis.PyQt.QtGui import QColor, QFont

#: The largest denominator of the scale at which drop cables, poles and labels of small things are drawn.
DETAIL_SCALE = 4000.0


def line(colour: str, width: float, **more: str) -> QgsLineSymbol:
    """A line, width in millimetres."""
    return QgsLineSymbol.createSimple(
        {"color": colour, "width": str(width), "capstyle": "round", "joinstyle": "round", **more}
    )


def marker(shape: str, colour: str, size: float, outline: str = "#2b2b2b") -> QgsMarkerSymbol:
    """A point symbol, size in millimetres."""
    return QgsMarkerSymbol.createSimple(
        {"name": shape, "color": colour, "size": str(size), "outline_color": outline, "outline_width": "0.25"}
    )


def fill(colour: str, outline: str, width: float = 0.2, **more: str) -> QgsFillSymbol:
    """An area, outline width in millimetres."""
    return QgsFillSymbol.createSimple({"color": colour, "outline_color": outline, "outline_width": str(width), **more})


def categorised(layer: QgsVectorLayer, field: str, categories: list[tuple[str, str, QgsSymbol]]) -> None:
    """Give a layer a symbol for each value; the last one draws all other values that devices send."""
    rows = [QgsRendererCategory(value, symbol, label) for value, label, symbol in categories]
    rows.append(QgsRendererCategory(None, categories[-1][2].clone(), "other"))
    layer.setRenderer(QgsCategorizedSymbolRenderer(field, rows))


def style_cables(layer: QgsVectorLayer) -> None:
    """By kind; the planned ones dashed."""
    dash = QgsProperty.fromExpression("if(\"status\" = 'planned', 'dash', 'solid')")
    kinds = [("trunk", "Trunk, 144 fibres", "#7b1fa2", 1.3), ("feeder", "Feeder, 96 fibres", "#d32f2f", 0.7),
             ("distribution", "Distribution, 48 fibres", "#1565c0", 0.6),
             ("drop", "Drop, 4 fibres", "#00897b", 0.28)]  # fmt: skip
    symbols = [(kind, label, line(colour, width)) for kind, label, colour, width in kinds]
    for _, _, symbol in symbols:
        symbol.symbolLayer(0).setDataDefinedProperty(symbol.symbolLayer(0).PropertyStrokeStyle, dash)
    categorised(layer, "kind", symbols)
    _label(layer, "if(\"kind\" in ('feeder', 'distribution'), \"code\", '')", 6.5, "#1f3f66", DETAIL_SCALE * 2.2)


def style_ducts(layer: QgsVectorLayer) -> None:
    """A pale casing under the cables."""
    layer.setRenderer(QgsSingleSymbolRenderer(line("#c69b6d", 0.9, line_style="solid")))
    layer.setOpacity(0.75)


def style_closures(layer: QgsVectorLayer) -> None:
    """By kind."""
    categorised(layer, "kind", [
        ("splice", "Splice closure", marker("circle", "#ffffff", 2.1, "#1565c0")),
        ("branch", "Branch closure", marker("circle", "#1565c0", 2.5)),
        ("terminal", "Terminal closure", marker("diamond", "#ffb300", 2.8)),
    ])  # fmt: skip
    _label(layer, '"code"', 6, "#2b2b2b", DETAIL_SCALE)


def style_poles(layer: QgsVectorLayer) -> None:
    """By condition, like a traffic light."""
    categorised(layer, "condition", [
        ("good", "Good", marker("circle", "#43a047", 1.6)),
        ("worn", "Worn", marker("circle", "#fb8c00", 1.8)),
        ("damaged", "Damaged", marker("triangle", "#e53935", 2.8)),
    ])  # fmt: skip
    _label(layer, '"code"', 5.5, "#5d4037", DETAIL_SCALE)


def style_cabinets(layer: QgsVectorLayer) -> None:
    """The central office larger than the cabinets."""
    symbol = marker("square", "#fdd835", 4.0)
    symbol.symbolLayer(0).setDataDefinedProperty(
        symbol.symbolLayer(0).PropertySize, QgsProperty.fromExpression("if(\"code\" like 'CO%', 5.6, 4.0)")
    )
    layer.setRenderer(QgsSingleSymbolRenderer(symbol))
    _label(layer, '"code"', 8.5, "#1a1a1a", None, bold=True, distance=2.6)


def style_service_areas(layer: QgsVectorLayer) -> None:
    """By cabinet, transparent enough to read the plan below."""
    colours = {"CO-1": "#ef9a9a", "FC-1": "#ce93d8", "FC-2": "#ffe082", "FC-3": "#80cbc4", "FC-4": "#90caf9"}
    categorised(layer, "cabinet_code", [
        (code, code, fill(QColor(colour).name(), QColor(colour).darker(150).name(), 0.35, outline_style="dash"))
        for code, colour in colours.items()
    ])  # fmt: skip
    layer.setOpacity(0.42)


def style_premises(layer: QgsVectorLayer) -> None:
    """By connection."""
    categorised(layer, "connection", [
        ("connected", "Connected", fill("#607d8b", "#37474f")),
        ("ordered", "Ordered", fill("#b0bec5", "#546e7a")),
        ("none", "No contract", fill("#eceff1", "#90a4ae")),
    ])  # fmt: skip


def style_parcels(layer: QgsVectorLayer) -> None:
    """Outlines only."""
    layer.setRenderer(QgsSingleSymbolRenderer(fill("#ffffff", "#8d8d84", 0.15, style="no")))
    _label(layer, '"PARCEL_ID"', 5, "#77776e", DETAIL_SCALE / 2)


def style_road_closures(layer: QgsVectorLayer) -> None:
    """A red and white barrier."""
    symbol = line("#c62828", 1.8)
    posts = QgsMarkerLineSymbolLayer(True, 2.4)
    posts.setSubSymbol(marker("square", "#ffffff", 1.1, "#ffffff"))
    symbol.appendSymbolLayer(posts)
    layer.setRenderer(QgsSingleSymbolRenderer(symbol))


STYLES: dict[str, Callable[[QgsVectorLayer], None]] = {
    "cables": style_cables,
    "ducts": style_ducts,
    "closures": style_closures,
    "poles": style_poles,
    "cabinets": style_cabinets,
    "service_areas": style_service_areas,
    "premises": style_premises,
    "parcels": style_parcels,
    "road_closures": style_road_closures,
}


def _label(layer: QgsVectorLayer, expression: str, size: float, colour: str, scale: float | None, *,
           bold: bool = False, distance: float = 1.2) -> None:  # fmt: skip
    settings = QgsPalLayerSettings()
    settings.fieldName, settings.isExpression, settings.dist = expression, True, distance
    settings.setFormat(_text(size, colour, bold=bold))
    if layer.geometryType() == 1:
        settings.placement = QgsPalLayerSettings.Line
    if scale is not None:
        settings.scaleVisibility, settings.minimumScale = True, scale
    layer.setLabeling(QgsVectorLayerSimpleLabeling(settings))
    layer.setLabelsEnabled(True)


def _text(size: float, colour: str, *, bold: bool) -> QgsTextFormat:
    text, halo = QgsTextFormat(), QgsTextBufferSettings()
    text.setFont(QFont("DejaVu Sans", -1, QFont.Bold if bold else QFont.Normal))
    text.setSize(size)
    text.setSizeUnit(QgsUnitTypes.RenderPoints)
    text.setColor(QColor(colour))
    halo.setEnabled(True)
    halo.setSize(0.8)
    halo.setColor(QColor("#fffef6"))
    text.setBuffer(halo)
    return text
