"""Read parts of raster files as pictures with GDAL."""

from __future__ import annotations

import ctypes
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from ctypes import c_double, c_int, c_ubyte, c_void_p
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from . import references, sqlite_safety
from .gdal import GdalError, last_error, library, string_list
from .gdal_drivers import RASTER_DRIVERS
from .project import Extent

_READ_RASTER = 0x02
_READ, _BYTE, _FLOAT32 = 0, 1, 6
#: Suffixes of rasters in SQLite files; the driver of rasters beside another one.
_DATABASES, _BESIDE = (".gpkg", ".mbtiles"), ("GTiff",)
#: Without overviews, GDAL has to read the whole window; more pixels than this would take seconds.
_MAX_PIXELS = 64_000_000


@dataclass(frozen=True)
class RasterPart:
    """A rectangle of a raster: `width` × `height` pixels of red, green, blue and opacity, from the top left."""

    extent: Extent
    width: int
    height: int
    rgba: bytes


@dataclass(frozen=True)
class _Window:
    """Columns and rows of a raster, and the size in pixels in which they are read."""

    column: int
    row: int
    columns: int
    rows: int
    width: int
    height: int


def read_part(path: Path, wanted: Extent, largest: int) -> RasterPart | None:
    """Return the part of a raster in `wanted` (in its own coordinates), with at most `largest` pixels each way.

    Return None if the raster is outside, is rotated, or would take long to read. Raises GdalError.
    """
    with _open(path) as dataset:
        transform = (c_double * 6)()
        if library().GDALGetGeoTransform(dataset, transform) != 0 or transform[2] or transform[4]:
            return None
        x0, dx, _, y0, _, dy = transform
        window = _window(dataset, (x0, dx, y0, dy), wanted, largest)
        if window is None or dy >= 0:
            return None
        left, top = x0 + window.column * dx, y0 + window.row * dy
        extent = Extent(left, top + window.rows * dy, left + window.columns * dx, top)
        return RasterPart(extent, window.width, window.height, _read_rgba(dataset, window))


def _window(
    dataset: c_void_p, transform: tuple[float, float, float, float], wanted: Extent, largest: int
) -> _Window | None:
    x0, dx, y0, dy = transform
    columns, rows = library().GDALGetRasterXSize(dataset), library().GDALGetRasterYSize(dataset)
    first, last = (wanted.xmin - x0) / dx, (wanted.xmax - x0) / dx
    top, bottom = (wanted.ymax - y0) / dy, (wanted.ymin - y0) / dy
    left, right = max(0, int(first)), min(columns, int(last) + 1)
    upper, lower = max(0, int(top)), min(rows, int(bottom) + 1)
    if right <= left or lower <= upper or _block_pixels(dataset) > _MAX_PIXELS:
        return None
    if (right - left) * (lower - upper) > _MAX_PIXELS and not _has_overviews(dataset):
        return None
    shrink = max(1.0, (right - left) / largest, (lower - upper) / largest)
    width, height = max(1, int((right - left) / shrink)), max(1, int((lower - upper) / shrink))
    return _Window(left, upper, right - left, lower - upper, width, height)


def _has_overviews(dataset: c_void_p) -> bool:
    return bool(library().GDALGetOverviewCount(library().GDALGetRasterBand(dataset, 1)) > 0)


def _block_pixels(dataset: c_void_p) -> int:
    """Return the number of pixels that GDAL reads at once, however few are needed."""
    width, height = c_int(), c_int()
    band = library().GDALGetRasterBand(dataset, 1)
    library().GDALGetBlockSize(band, ctypes.byref(width), ctypes.byref(height))
    return width.value * height.value


def _read_rgba(dataset: c_void_p, window: _Window) -> bytes:
    gdal = library()
    bands = [gdal.GDALGetRasterBand(dataset, number + 1) for number in range(gdal.GDALGetRasterCount(dataset))]
    size = window.width * window.height
    pixels = bytearray(size * 4)
    channels = _single_band(bands[0], window) if len(bands) < 3 else [_read_bytes(b, window) for b in bands[:3]]
    opacity = _read(gdal.GDALGetMaskBand(bands[0]), window, _BYTE)
    for offset, channel in enumerate([*channels, opacity]):
        pixels[offset::4] = channel
    return bytes(pixels)


def _single_band(band: c_void_p, window: _Window) -> list[bytes]:
    grey = _read_bytes(band, window)
    table = library().GDALGetRasterColorTable(band)
    if not table:
        return [grey, grey, grey]
    entries = [library().GDALGetColorEntry(table, i) for i in range(library().GDALGetColorEntryCount(table))]
    maps = (bytes(entry[channel] & 0xFF for entry in entries[:256]).ljust(256, b"\0") for channel in range(3))
    return [grey.translate(mapping) for mapping in maps]


def _read_bytes(band: c_void_p, window: _Window) -> bytes:
    """Return the values of a band as bytes; other types are stretched between their smallest and largest value."""
    if library().GDALGetRasterDataType(band) == _BYTE:
        return _read(band, window, _BYTE)
    values = memoryview(_read(band, window, _FLOAT32)).cast("f").tolist()
    visible = _read(library().GDALGetMaskBand(band), window, _BYTE)
    known = [value for value, shown in zip(values, visible, strict=True) if shown and value == value]
    low, high = (min(known), max(known)) if known else (0.0, 1.0)
    factor = 255.0 / ((high - low) or 1.0)
    return bytes(min(255, max(0, int((value - low) * factor))) if value == value else 0 for value in values)


def _read(band: c_void_p, window: _Window, kind: int) -> bytes:
    size = window.width * window.height * (4 if kind == _FLOAT32 else 1)
    buffer: Any = (c_ubyte * size)()
    place = (window.column, window.row, window.columns, window.rows)
    address = ctypes.cast(buffer, c_void_p)
    if library().GDALRasterIO(band, _READ, *place, address, window.width, window.height, kind, 0, 0) != 0:
        raise GdalError(f"The raster cannot be read: {last_error()}.")
    return bytes(buffer)


@contextmanager
def _open(path: Path) -> Generator[c_void_p]:
    """Open a raster after a look at everything that GDAL would open with it. Raises GdalError, GisError."""
    if path.suffix.lower() in _DATABASES:
        _check_database(path)
    for beside in references.check_family(path):
        with _opened(beside, _BESIDE):
            pass
    with _opened(path, RASTER_DRIVERS) as dataset:
        yield dataset


def _check_database(path: Path) -> None:
    try:
        sqlite_safety.check(path)
    except sqlite_safety.ERRORS as error:
        raise GdalError(f"File '{path.name}' cannot be read: {sqlite_safety.said(error)}.") from error


@contextmanager
def _opened(path: Path, drivers: Sequence[str]) -> Generator[c_void_p]:
    library().CPLErrorReset()
    dataset = library().GDALOpenEx(str(path).encode(), _READ_RASTER, string_list(drivers), None, None)
    if not dataset:
        raise GdalError(f"File '{path.name}' cannot be read: {last_error()}.")
    try:
        # The same question that GDAL asks before it opens overviews, whatever answers it: the file or one beside it.
        named = library().GDALGetMetadataItem(dataset, b"OVERVIEW_FILE", b"OVERVIEWS") or b""
        references.check_overviews(named.decode("utf-8", "replace"), path.name)
        yield dataset
    finally:
        library().GDALClose(dataset)
