"""The background: a painted plan of the village as a small GeoTIFF with a palette."""

from __future__ import annotations

import random
from pathlib import Path

import numpy
from osgeo import gdal, osr
from PIL import Image, ImageDraw, ImageFilter

from .lines import Line, Point
from .village import CHURCH, GREEN, HEIGHT, ORIGIN, POND, ROADS, STREAM, WIDTH

#: Pixels per metre of the file; it is painted at twice that and scaled down, which smooths the edges.
SCALE = 0.8
COLOURS = 160

FIELDS: list[tuple[Line, tuple[int, int, int], float]] = [
    ([(0, 850), (0, 668), (140, 682), (290, 715), (420, 768), (470, 850)], (222, 228, 188), 0.3),
    ([(470, 850), (430, 772), (540, 784), (700, 754), (860, 724), (900, 850)], (213, 224, 178), 1.2),
    ([(900, 850), (866, 724), (1000, 746), (1200, 714), (1200, 850)], (233, 226, 190), 0.8),
    ([(0, 630), (0, 470), (240, 490), (290, 560), (300, 660), (140, 640)], (228, 222, 184), 0.1),
    ([(0, 380), (0, 200), (90, 190), (120, 260), (140, 330), (130, 392)], (216, 226, 182), 1.4),
    ([(0, 190), (0, 0), (250, 0), (230, 150), (100, 150)], (232, 224, 186), 0.5),
    ([(260, 160), (270, 0), (560, 0), (600, 100), (560, 190), (460, 210), (400, 300)], (219, 228, 186), 0.9),
    ([(700, 160), (760, 90), (830, 60), (850, 0), (1200, 0), (1200, 190), (1000, 200), (880, 260)],
     (230, 226, 192), 1.1),
    ([(1090, 290), (1200, 250), (1200, 430), (1040, 420), (990, 330)], (214, 225, 180), 0.2),
    ([(880, 560), (1200, 530), (1200, 660), (1000, 690), (860, 670)], (222, 230, 190), 0.7),
]  # fmt: skip
WOODS: list[Line] = [
    [(380, 130), (420, 20), (540, 30), (520, 120), (440, 170)],
    [(1010, 130), (1060, 40), (1180, 50), (1170, 150), (1080, 170)],
    [(20, 830), (30, 740), (140, 740), (180, 820)],
    [(600, 835), (640, 790), (800, 770), (850, 830)],
    [(1080, 640), (1110, 580), (1190, 580), (1190, 650)],
]


def write_background(path: Path, rng: random.Random) -> None:
    """Paint the plan and write it as a paletted, tiled, deflated GeoTIFF in EPSG:25832."""
    canvas = _Canvas(int(WIDTH * SCALE * 2), int(HEIGHT * SCALE * 2), SCALE * 2)
    _paint(canvas, rng)
    size = (int(WIDTH * SCALE), int(HEIGHT * SCALE))
    image = canvas.image.resize(size, Image.Resampling.LANCZOS)
    _write_tiff(path, image.quantize(COLOURS, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE))


class _Canvas:
    """A picture with local metres as coordinates."""

    def __init__(self, width: int, height: int, scale: float) -> None:
        self.image = Image.new("RGB", (width, height), (236, 235, 220))
        self.draw = ImageDraw.Draw(self.image)
        self.scale = scale

    def pixel(self, point: Point) -> Point:
        return (point[0] * self.scale, self.image.height - point[1] * self.scale)

    def polygon(self, ring: Line, colour: tuple[int, int, int]) -> None:
        self.draw.polygon([self.pixel(point) for point in ring], fill=colour)

    def line(self, line: Line, colour: tuple[int, int, int], metres: float) -> None:
        width = max(1, round(metres * self.scale))
        pixels = [self.pixel(point) for point in line]
        self.draw.line(pixels, fill=colour, width=width, joint="curve")
        for x, y in (pixels[0], pixels[-1]):
            self.draw.ellipse((x - width / 2, y - width / 2, x + width / 2, y + width / 2), fill=colour)

    def dot(self, point: Point, colour: tuple[int, int, int], radius: float) -> None:
        (x, y), r = self.pixel(point), radius * self.scale
        self.draw.ellipse((x - r, y - r, x + r, y + r), fill=colour)


def _paint(canvas: _Canvas, rng: random.Random) -> None:
    for ring, colour, slope in FIELDS:
        _field(canvas, ring, colour, slope)
    canvas.polygon(GREEN, (204, 222, 170))
    canvas.image.paste(canvas.image.filter(ImageFilter.GaussianBlur(0.6)))
    canvas.line(STREAM, (176, 200, 206), 11)
    canvas.line(STREAM, (160, 196, 216), 7)
    _pond(canvas)
    for wood in WOODS:
        _wood(canvas, wood, rng)
    for road in ROADS.values():
        canvas.line(road.line, (200, 192, 178), road.width + 2.4)
    for road in ROADS.values():
        canvas.line(road.line, (252, 250, 244), road.width)
    canvas.polygon(CHURCH, (196, 178, 168))
    _avenue(canvas, rng)


def _field(canvas: _Canvas, ring: Line, colour: tuple[int, int, int], slope: float) -> None:
    """Paint a field with its furrows."""
    mask = Image.new("L", canvas.image.size, 0)
    ImageDraw.Draw(mask).polygon([canvas.pixel(point) for point in ring], fill=255)
    rows, columns = numpy.mgrid[0 : canvas.image.height, 0 : canvas.image.width]
    furrow = numpy.sin((rows * numpy.cos(slope) + columns * numpy.sin(slope)) / 5.0) > 0.55
    shade = numpy.where(furrow[..., None], numpy.array(colour) - 9, numpy.array(colour))
    canvas.image.paste(Image.fromarray(shade.astype("uint8"), "RGB"), (0, 0), mask)


def _pond(canvas: _Canvas) -> None:
    xs, ys = [x for x, _ in POND], [y for _, y in POND]
    left, top = canvas.pixel((min(xs), max(ys)))
    right, bottom = canvas.pixel((max(xs), min(ys)))
    canvas.draw.ellipse((left, top, right, bottom), fill=(160, 196, 216), outline=(150, 184, 196), width=3)


def _wood(canvas: _Canvas, ring: Line, rng: random.Random) -> None:
    xs, ys = [x for x, _ in ring], [y for _, y in ring]
    mask = Image.new("L", canvas.image.size, 0)
    ImageDraw.Draw(mask).polygon([canvas.pixel(point) for point in ring], fill=255)
    canvas.polygon(ring, (178, 202, 152))
    for _ in range(int((max(xs) - min(xs)) * (max(ys) - min(ys)) / 45)):
        tree = (rng.uniform(min(xs), max(xs)), rng.uniform(min(ys), max(ys)))
        x, y = canvas.pixel(tree)
        if 0 <= x < mask.width and 0 <= y < mask.height and mask.getpixel((int(x), int(y))):
            _tree(canvas, tree, rng)


def _avenue(canvas: _Canvas, rng: random.Random) -> None:
    """Paint single trees on the green and beside the stream."""
    spots = [(point[0] + rng.uniform(-6, 6), point[1] + rng.choice((-13, 13))) for point in STREAM[::5]]
    spots += [(rng.uniform(480, 650), rng.uniform(345, 385)) for _ in range(14)]
    spots += [(664 + rng.uniform(-40, 40), 516 + rng.choice((-24, 26)) + rng.uniform(-5, 5)) for _ in range(12)]
    for spot in spots:
        _tree(canvas, spot, rng)


def _tree(canvas: _Canvas, spot: Point, rng: random.Random) -> None:
    radius = rng.uniform(3.2, 5.2)
    canvas.dot((spot[0] + 1, spot[1] - 1), (150, 176, 128), radius)
    canvas.dot(spot, rng.choice([(168, 196, 142), (160, 190, 134), (176, 202, 150)]), radius)


def _write_tiff(path: Path, image: Image.Image) -> None:
    width, height = image.size
    options = ["COMPRESS=DEFLATE", "ZLEVEL=9", "TILED=YES", "BLOCKXSIZE=256", "BLOCKYSIZE=256"]
    dataset = gdal.GetDriverByName("GTiff").Create(str(path), width, height, 1, gdal.GDT_Byte, options)
    dataset.SetGeoTransform((ORIGIN[0], 1 / SCALE, 0, ORIGIN[1] + HEIGHT, 0, -1 / SCALE))
    reference = osr.SpatialReference()
    reference.ImportFromEPSG(25832)
    dataset.SetProjection(reference.ExportToWkt())
    band = dataset.GetRasterBand(1)
    band.SetColorTable(_colour_table(image.getpalette() or []))
    band.SetColorInterpretation(gdal.GCI_PaletteIndex)
    band.WriteArray(numpy.asarray(image))
    dataset.FlushCache()


def _colour_table(palette: list[int]) -> gdal.ColorTable:
    table = gdal.ColorTable()
    for index in range(COLOURS):
        red, green, blue = palette[3 * index : 3 * index + 3] or (0, 0, 0)
        table.SetColorEntry(index, (red, green, blue, 255))
    return table
