"""The small map: it shows the project's view, and nothing in a project can fail the job."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from PIL import Image

from gis_samples import layer_xml, make_geopackage, point, square, write_project
from qfc_node.gis.layers import inspect_all
from qfc_node.gis.project import Project
from qfc_node.gis.thumbnail import HEIGHT, WIDTH, draw_thumbnail

WHITE = (255, 255, 255)
FILL = (
    "<symbol name='{name}' alpha='1'><layer class='SimpleFill' enabled='1'><Option type='Map'>"
    "<Option name='color' value='{color}'/><Option name='outline_style' value='no'/>"
    "<Option name='style' value='solid'/></Option></layer></symbol>"
)
MARKER = (
    "<renderer-v2 type='singleSymbol'><symbols><symbol name='0' alpha='1'><layer class='SimpleMarker'>"
    "<prop k='color' v='0,0,255,255'/><prop k='size' v='8'/><prop k='outline_style' v='no'/></layer></symbol>"
    "</symbols></renderer-v2>"
)
RED, GREEN = "255,0,0,255", "0,255,0,255,rgb:0,1,0,1"


def single(color: str) -> str:
    symbol = FILL.format(name="0", color=color)
    return f"<renderer-v2 type='singleSymbol'><symbols>{symbol}</symbols></renderer-v2>"


def draw(project_file: Path) -> Image.Image:
    project = Project.read(project_file)
    picture = Image.open(io.BytesIO(draw_thumbnail(project, inspect_all(project))))
    assert picture.format == "PNG"
    assert picture.size == (WIDTH, HEIGHT)
    return picture.convert("RGB")


def at(picture: Image.Image, x: float, y: float) -> tuple[int, ...]:
    """Colour of a place; the picture shows 7 to 10 east, and 45.875 to 48.125 north (it is taller than the extent)."""
    pixel = picture.getpixel((int((x - 7) / 3 * WIDTH), int((48.125 - y) / 2.25 * HEIGHT)))
    assert isinstance(pixel, tuple)
    return pixel


@pytest.fixture
def squares(tmp_path: Path) -> Path:
    """A folder with two squares: `a` at (7.5 46.5), `b` at (9 47), each half a degree wide."""
    rows = [(1, square(7.5, 46.5, 0.5), "a"), (2, square(9, 47, 0.5), "b")]
    make_geopackage(
        tmp_path / "s.gpkg", "s", "fid INTEGER PRIMARY KEY, geom POLYGON, kind TEXT", rows, geometry="POLYGON"
    )
    return tmp_path


def test_polygons_in_their_colour(squares: Path) -> None:
    picture = draw(write_project(squares, [layer_xml("s", "./s.gpkg|layername=s", more=single(RED))]))
    assert at(picture, 7.75, 46.75) == (255, 0, 0)
    assert at(picture, 9.25, 47.25) == (255, 0, 0)
    assert at(picture, 8.5, 46.75) == WHITE


def test_categories(squares: Path) -> None:
    renderer = (
        "<renderer-v2 type='categorizedSymbol' attr='kind'><categories><category value='a' symbol='0' render='true'/>"
        "<category value='b' symbol='1' render='true'/></categories><symbols>"
        f"{FILL.format(name='0', color=RED)}{FILL.format(name='1', color=GREEN)}</symbols></renderer-v2>"
    )
    picture = draw(write_project(squares, [layer_xml("s", "./s.gpkg|layername=s", more=renderer)]))
    assert at(picture, 7.75, 46.75) == (255, 0, 0)
    assert at(picture, 9.25, 47.25) == (0, 255, 0)


def test_the_filter_and_the_opacity_of_a_layer(squares: Path) -> None:
    more = f"{single(RED)}<layerOpacity>0.5</layerOpacity>"
    source = "./s.gpkg|layername=s|subset=kind = 'a'"
    picture = draw(write_project(squares, [layer_xml("s", source, more=more)]))
    assert at(picture, 7.75, 46.75) == pytest.approx((255, 127, 127), abs=2)
    assert at(picture, 9.25, 47.25) == WHITE


def test_upper_layers_cover_lower_ones(squares: Path) -> None:
    rows = [(1, point(7.75, 46.75))]
    make_geopackage(squares / "p.gpkg", "p", "fid INTEGER PRIMARY KEY, geom POINT", rows)
    layers = [
        layer_xml("p", "./p.gpkg|layername=p", more=MARKER),
        layer_xml("s", "./s.gpkg|layername=s", more=single(RED)),
    ]
    assert at(draw(write_project(squares, layers)), 7.75, 46.75) == (0, 0, 255)
    order = "<custom-order enabled='1'><item>s</item><item>p</item></custom-order>"
    tree = f"<layer-tree-layer id='p'/><layer-tree-layer id='s'/>{order}"
    assert at(draw(write_project(squares, layers, tree=tree)), 7.75, 46.75) == (255, 0, 0)


@pytest.mark.parametrize(
    "tree",
    [
        "<layer-tree-layer id='s' checked='Qt::Unchecked'/>",
        "<layer-tree-group checked='Qt::Unchecked'><layer-tree-layer id='s' checked='Qt::Checked'/></layer-tree-group>",
    ],
)
def test_layers_that_are_switched_off(squares: Path, tree: str) -> None:
    picture = draw(write_project(squares, [layer_xml("s", "./s.gpkg|layername=s")], tree=tree))
    assert picture.getcolors() == [(WIDTH * HEIGHT, WHITE)]


def test_a_style_that_is_not_simple_gets_a_colour_that_stays(squares: Path) -> None:
    renderer = "<renderer-v2 type='pointCluster'/>"
    xml = layer_xml("s", "./s.gpkg|layername=s", wkb_type="Polygon", more=renderer)
    first, second = (at(draw(write_project(squares, [xml])), 7.75, 46.75) for _ in range(2))
    assert first == second != WHITE


def test_a_layer_in_another_coordinate_system(squares: Path) -> None:
    from qfc_node.gis.gdal import Transformation

    corners = Transformation("EPSG:4326", "EPSG:3857").points([(8, 46.5), (8.5, 47)])
    (x, y), (x2, _) = corners
    rows = [(1, square(x, y, x2 - x))]
    make_geopackage(squares / "m.gpkg", "m", "fid INTEGER PRIMARY KEY, geom POLYGON", rows, geometry="POLYGON")
    xml = layer_xml("m", "./m.gpkg|layername=m", crs="EPSG:3857", more=single(RED))
    picture = draw(write_project(squares, [xml]))
    assert at(picture, 8.25, 46.6) == (255, 0, 0)
    assert at(picture, 7.9, 46.6) == WHITE


def test_a_raster_with_a_world_file(tmp_path: Path) -> None:
    image = Image.new("RGB", (30, 20), (0, 128, 0))
    image.paste((200, 0, 200), (0, 0, 15, 20))
    image.save(tmp_path / "r.png")
    (tmp_path / "r.pgw").write_text("0.1\n0\n0\n-0.1\n7.05\n47.95\n")
    picture = draw(write_project(tmp_path, [layer_xml("r", "./r.png", kind="raster", provider="gdal")]))
    assert at(picture, 7.75, 47) == (200, 0, 200)
    assert at(picture, 9.25, 47) == (0, 128, 0)
    assert at(picture, 9.25, 48.1) == WHITE


def test_lines_in_a_shapefile_like_source(tmp_path: Path) -> None:
    (tmp_path / "l.geojson").write_text(
        '{"type": "FeatureCollection", "features": [{"type": "Feature", "properties": {}, "geometry":'
        ' {"type": "LineString", "coordinates": [[7, 47], [10, 47]]}}]}'
    )
    renderer = (
        "<renderer-v2 type='singleSymbol'><symbols><symbol name='0'><layer class='SimpleLine'>"
        "<prop k='line_color' v='255,0,0,255'/><prop k='line_width' v='4'/></layer></symbol></symbols></renderer-v2>"
    )
    picture = draw(write_project(tmp_path, [layer_xml("l", "./l.geojson", wkb_type="LineString", more=renderer)]))
    assert at(picture, 8.5, 47) == (255, 0, 0)


@pytest.mark.parametrize(
    "xml",
    [
        layer_xml("a", "./gone.gpkg|layername=a"),
        layer_xml("a", "./s.gpkg|layername=s", crs="EPSG:999999"),
        layer_xml("a", "./fake.png", kind="raster", provider="gdal"),
        layer_xml("a", "url=https://example.org", kind="raster", provider="wms"),
        layer_xml("a", "memory?geometry=Point", provider="memory"),
    ],
)
def test_what_cannot_be_drawn_is_missing_on_the_picture(squares: Path, xml: str) -> None:
    (squares / "fake.png").write_bytes(b"\x89PNG nothing")
    assert draw(write_project(squares, [xml])).getcolors() == [(WIDTH * HEIGHT, WHITE)]


def test_broken_geometries_are_passed_over(tmp_path: Path) -> None:
    rows = [(1, b"GP\0\1\xe6\x10\0\0\1\3\0\0\0\xff\xff\xff\xff"), (2, square(7.5, 46.5, 0.5))]
    columns = "fid INTEGER PRIMARY KEY, geom POLYGON"
    make_geopackage(tmp_path / "s.gpkg", "s", columns, rows, geometry="POLYGON", with_index=False)
    picture = draw(write_project(tmp_path, [layer_xml("s", "./s.gpkg|layername=s", more=single(RED))]))
    assert at(picture, 7.75, 46.75) == (255, 0, 0)


def test_the_colour_of_the_canvas(tmp_path: Path) -> None:
    settings = "<Gui><CanvasColorRedPart>10</CanvasColorRedPart><CanvasColorBluePart>20</CanvasColorBluePart></Gui>"
    assert draw(write_project(tmp_path, [], properties=settings)).getcolors() == [(WIDTH * HEIGHT, (10, 255, 20))]


def test_no_time_at_all_still_gives_a_picture(squares: Path) -> None:
    project = Project.read(write_project(squares, [layer_xml("s", "./s.gpkg|layername=s")]))
    assert draw_thumbnail(project, inspect_all(project), seconds=0.0).startswith(b"\x89PNG")
