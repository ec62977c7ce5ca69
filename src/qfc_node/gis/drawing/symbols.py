"""The style of a layer: the colours, widths and sizes of its renderer."""

from __future__ import annotations

import colorsys
import zlib
from dataclasses import dataclass, field

from ..project import Layer
from ..qgs_xml import Element

Color = tuple[int, int, int, int]
"""Red, green, blue, opacity: 0 to 255."""


@dataclass(frozen=True)
class Paint:
    """One layer of a symbol. Widths and sizes are in millimetres; a colour of None leaves that part out."""

    fill: Color | None
    stroke: Color | None
    width: float = 0.26
    size: float = 2.0
    is_marker: bool = False


Symbol = tuple[Paint, ...]


@dataclass(frozen=True)
class Style:
    """The symbol of each feature: by the text of `attribute` in `by_value`, by number in `ranges`, else `default`."""

    default: Symbol
    attribute: str | None = None
    by_value: dict[str, Symbol] = field(default_factory=dict[str, Symbol])
    ranges: tuple[tuple[float, float, Symbol], ...] = ()

    def symbol(self, value: str) -> Symbol:
        """Return the symbol of a feature whose attribute has that value."""
        if self.attribute is None:
            return self.default
        if value in self.by_value:
            return self.by_value[value]
        return next((symbol for low, high, symbol in self.ranges if _within(value, low, high)), self.default)


def style_of(layer: Layer) -> Style:
    """Return the style of a vector layer; if its renderer is not a simple one, a colour of the layer's own."""
    renderer = layer.element.find("renderer-v2")
    symbols = _symbols(renderer)
    plain: Symbol = (plain_paint(layer),)
    if renderer is None or not symbols:
        return Style(plain)
    kind, attribute = renderer.get("type"), (renderer.get("attr") or "").strip('"')
    if kind == "categorizedSymbol" and attribute:
        return _categorized(renderer, symbols, attribute)
    if kind == "graduatedSymbol" and attribute:
        return _graduated(renderer, symbols, attribute, plain)
    if kind in ("nullSymbol", "heatmapRenderer"):
        return Style(() if kind == "nullSymbol" else plain)
    return Style(next(iter(symbols.values())))


def plain_paint(layer: Layer) -> Paint:
    """Return a colour that is always the same for a layer, because it is derived from its id."""
    hue = zlib.crc32(layer.id.encode()) / 0xFFFFFFFF
    red, green, blue = (int(part * 255) for part in colorsys.hsv_to_rgb(hue, 0.6, 0.75))
    return Paint((red, green, blue, 160), (red, green, blue, 255), is_marker="Point" in layer.geometry_type)


def parse_color(text: str) -> Color | None:
    """Parse a colour as QGIS writes it: `r,g,b,a`, possibly followed by more."""
    parts = text.split(",")[:4]
    if len(parts) < 3 or not all(part.strip().isdecimal() for part in parts):
        return None
    red, green, blue, alpha = (*(min(int(part), 255) for part in parts), 255)[:4]
    return (red, green, blue, alpha)


def _categorized(renderer: Element, symbols: dict[str, Symbol], attribute: str) -> Style:
    by_value: dict[str, Symbol] = {}
    default: Symbol = ()
    for category in renderer.iterfind("categories/category"):
        symbol = symbols.get(category.get("symbol") or "", ()) if category.get("render") != "false" else ()
        values = [item.get("value") or "" for item in category.iterfind("val")] or [category.get("value") or ""]
        by_value.update({value: symbol for value in values if value})
        if values == [""]:
            default = symbol
    return Style(default, attribute, by_value)


def _graduated(renderer: Element, symbols: dict[str, Symbol], attribute: str, plain: Symbol) -> Style:
    ranges: list[tuple[float, float, Symbol]] = []
    for element in renderer.iterfind("ranges/range"):
        low, high = _number(element.get("lower"), 0.0), _number(element.get("upper"), 0.0)
        ranges.append((low, high, symbols.get(element.get("symbol") or "", plain)))
    return Style((), attribute, ranges=tuple(ranges))


def _symbols(renderer: Element | None) -> dict[str, Symbol]:
    if renderer is None:
        return {}
    elements = renderer.iterfind("symbols/symbol")
    return {element.get("name") or "": _symbol(element) for element in elements}


def _symbol(element: Element) -> Symbol:
    opacity = _number(element.get("alpha"), 1.0)
    layers = [layer for layer in element.findall("layer") if layer.get("enabled") != "0"]
    paints = (_paint(layer.get("class") or "", _properties(layer), opacity) for layer in layers)
    return tuple(paint for paint in paints if paint)


def _properties(layer: Element) -> dict[str, str]:
    values = {prop.get("k") or "": prop.get("v") or "" for prop in layer.findall("prop")}
    values.update({option.get("name") or "": option.get("value") or "" for option in layer.findall("Option/Option")})
    return values


def _paint(kind: str, values: dict[str, str], opacity: float) -> Paint | None:
    fill = _faded(values.get("color", ""), opacity)
    stroke = _faded(values.get("outline_color", ""), opacity)
    if "Line" in kind and "Fill" not in kind:
        line = _faded(values.get("line_color", values.get("color", "")), opacity)
        return Paint(None, line, _number(values.get("line_width"), 0.26)) if line else None
    if values.get("outline_style") == "no":
        stroke = None
    width = _number(values.get("outline_width"), 0.26)
    if "Marker" in kind:
        return Paint(fill, stroke, width, _number(values.get("size"), 2.0), is_marker=True)
    if values.get("style") == "no":
        fill = None
    return Paint(fill, stroke, width) if fill or stroke else None


def _faded(text: str, opacity: float) -> Color | None:
    color = parse_color(text)
    return (*color[:3], int(color[3] * opacity)) if color else None


def _number(text: str | None, default: float) -> float:
    try:
        return float(text or default)
    except ValueError:
        return default


def _within(value: str, low: float, high: float) -> bool:
    try:
        return low <= float(value) <= high
    except ValueError:
        return False
