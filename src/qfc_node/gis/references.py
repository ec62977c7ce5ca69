"""What a file names besides itself: looked at before GDAL reads from it, because GDAL would follow it anywhere.

GDAL opens the files beside a data set (overviews, masks, indexes), and whatever these and the data set itself name.
"""

from __future__ import annotations

import re
from pathlib import Path

from . import tiff_tags
from .defence import Layer, is_on
from .port import GisError

#: Files beside a raster that GDAL opens as rasters: `trees.tif.ovr`, `trees.tif.msk`, `trees.tif.msk.ovr`, ….
_RASTERS_BESIDE = (".ovr", ".msk")
#: Files that may be a TIFF.
_TIFFS = (".tif", ".tiff", *_RASTERS_BESIDE)
#: MapInfo's descriptions of tables that consist of other tables, wherever these are.
_TABLE_OF_TABLES = re.compile(rb"open\s+table|create\s+view|IsSeamless|type\s+\"?(?:linked|fme|raster)", re.IGNORECASE)
#: The index of a shapefile by attributes: XML that names a file.
_INDEX_ELSEWHERE = re.compile(rb">[^<]*[/\\][^<]*<")
_LARGEST_TEXT = 1024 * 1024
#: Files beside a data set that GDAL reads as a whole, and most bytes of them: far more than programs write.
_LARGEST_BESIDE = {
    **dict.fromkeys((".cpg", ".cst"), 4096),
    **dict.fromkeys((".prj", ".qpj", ".csvt", ".idm", ".hdr", ".clr", ".stx", ".rpb", ".tab"), _LARGEST_TEXT),
    ".xml": 8 * _LARGEST_TEXT,
}
#: A coordinate system that names a file or an address.
_SYSTEM_ELSEWHERE = re.compile(
    r"""^\s*(?:https?:|ftp:|file:|/|\.{1,2}[/\\]|[a-z]:[/\\])|(?:grids|\binit|geoidgrids|PARAMETERFILE)\W+[^"'\s\],]*[/\\]""",
    re.IGNORECASE,
)
_QUERY = re.compile(r"\b(?:SELECT|UNION|FROM|JOIN|INTO|ATTACH|PRAGMA)\b|;|--|/\*", re.IGNORECASE)
_QUOTED = re.compile(r"""'[^'\\]*'|"[^"\\]*\"""")


class ForeignReferenceError(GisError):
    """A file or a text names something outside the project."""


class TooLargeError(GisError):
    """A description of data is far larger than programs write it."""


def check_family(path: Path) -> list[Path]:
    """Check the files beside a data set; return those that GDAL opens as rasters.

    Raises ForeignReferenceError, TooLargeError.
    """
    if not is_on(Layer.REFERENCES):
        return []
    beside = [file for file in path.parent.glob("*") if file.name.lower().startswith(f"{path.stem.lower()}.")]
    for file in beside:
        _check_beside(file)
        _check_description(file)
    return [file for file in beside if file.suffix.lower() in _RASTERS_BESIDE]


def check_table(path: Path) -> None:
    """Check the description of a MapInfo table. Raises ForeignReferenceError."""
    if is_on(Layer.REFERENCES) and path.suffix.lower() == ".tab" and _TABLE_OF_TABLES.search(_head(path)):
        raise ForeignReferenceError(f"File '{path.name}' names other tables; save its data as a GeoPackage.")


def check_system(text: str) -> None:
    """Check the definition of a coordinate system. Raises ForeignReferenceError."""
    if is_on(Layer.REFERENCES) and _SYSTEM_ELSEWHERE.search(text):
        raise ForeignReferenceError(f"The coordinate system '{text[:60]}' names a file or an address.")


def check_condition(text: str) -> None:
    """Check that a filter is only a condition, and no query that could name other data. Raises ForeignReferenceError.

    Texts in quotes are left out, unless a backslash makes it uncertain where they end.
    """
    plain = text if "\\" in text else _QUOTED.sub("''", text)
    if is_on(Layer.REFERENCES) and _QUERY.search(plain):
        raise ForeignReferenceError(f"The filter '{text[:80]}' is a query, not a condition.")


def check_overviews(named: str, name: str) -> None:
    """Check the file with overviews that a raster names, if any. Raises ForeignReferenceError."""
    if is_on(Layer.REFERENCES) and named:
        raise ForeignReferenceError(f"File '{name}' names a file with overviews; build them into the file itself.")


def _check_beside(file: Path) -> None:
    if file.is_symlink():
        raise ForeignReferenceError(f"File '{file.name}' is a link.")
    suffix = file.suffix.lower()
    if file.is_file() and file.stat().st_size > _LARGEST_BESIDE.get(suffix, file.stat().st_size):
        raise TooLargeError(f"File '{file.name}' has {file.stat().st_size} bytes; remove it or make it smaller.")
    if suffix in _RASTERS_BESIDE and file.is_file() and not tiff_tags.is_tiff(file):
        raise ForeignReferenceError(f"File '{file.name}' is not a TIFF.")
    if suffix == ".idm" and file.is_file() and _INDEX_ELSEWHERE.search(_head(file)):
        raise ForeignReferenceError(f"File '{file.name}' names another file; remove it.")


def _check_description(file: Path) -> None:
    """Check what a TIFF says of itself: GDAL takes a time that grows with the square of its size."""
    if file.suffix.lower() in _TIFFS and file.is_file() and tiff_tags.is_tiff(file):
        size = tiff_tags.description_bytes(file)
        if size > _LARGEST_TEXT:
            raise TooLargeError(
                f"File '{file.name}' has a description of {size} bytes in the tag {tiff_tags.DESCRIPTION}."
            )


def _head(path: Path, size: int = _LARGEST_TEXT) -> bytes:
    with path.open("rb") as stream:
        return stream.read(size)
