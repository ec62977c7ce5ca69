"""Read delimited text files like QGIS's provider `delimitedtext`."""

from __future__ import annotations

import csv
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path

from .datasource import TextSource
from .port import GisError

_FIELD_LIMIT = 64 * 1024 * 1024
_NO = frozenset({"no", "n", "false", "0"})


def column_names(source: TextSource, path: Path) -> list[str] | None:
    """Return the names of the columns; None if only QGIS itself can read the file with the source's settings."""
    try:
        with _rows(source, path) as rows:
            return _header(source, rows)
    except GisError:
        return None


def gdal_options(source: TextSource) -> list[str]:
    """Return the open options for GDAL's CSV driver to read the file like QGIS. Raises GisError if there are none."""
    unlike = [name for name in ("skipLines", "decimalPoint", "quote", "escape", "trimFields") if name in source.options]
    if unlike or not _has_header(source) or source.options.get("type", "csv") != "csv" or _encoding(source) != "utf-8":
        raise GisError(f"Only QGIS itself can read '{source.path.name}' with the settings of its layer.")
    names = {"xField": "X_POSSIBLE_NAMES", "yField": "Y_POSSIBLE_NAMES", "wktField": "GEOM_POSSIBLE_NAMES"}
    columns = [f"{option}={source.options[name]}" for name, option in names.items() if source.options.get(name)]
    detect = "NO" if source.options.get("detectTypes", "yes").lower() in _NO else "YES"
    keep = "NO" if source.options.get("wktField") else "YES"
    separators = {",": "COMMA", ";": "SEMICOLON", "\t": "TAB", " ": "SPACE", "|": "PIPE"}
    separator = separators.get(delimiter(source))
    if separator is None:
        raise GisError(f"Only QGIS itself can read the column separator of '{source.path.name}'.")
    return [*columns, f"AUTODETECT_TYPE={detect}", f"KEEP_GEOM_COLUMNS={keep}", f"SEPARATOR={separator}"]


def check_geometry_columns(source: TextSource, names: list[str]) -> None:
    """Check that the columns with the geometry exist. Raises GisError."""
    wanted = [source.options.get(option) for option in ("xField", "yField", "wktField", "zField", "mField")]
    missing = [name for name in wanted if name and name not in names]
    if missing:
        raise GisError(f"Column '{missing[0]}', which holds the geometry, not found in file '{source.path.name}'.")


def delimiter(source: TextSource) -> str:
    """Return the separator between columns."""
    if source.options.get("type") == "whitespace":
        return " "
    return source.options.get("delimiter", ",").replace("\\t", "\t")


@contextmanager
def _rows(source: TextSource, path: Path) -> Generator[Iterator[list[str]]]:
    separator = delimiter(source)
    if len(separator) != 1 or source.options.get("type") == "regexp":
        raise GisError(f"File '{path.name}': only QGIS itself can read its column separators.")
    encoding = _encoding(source)
    csv.field_size_limit(_FIELD_LIMIT)
    try:
        with path.open(encoding="utf-8-sig" if encoding == "utf-8" else encoding, newline="") as lines:
            skipped = int(source.options.get("skipLines") or 0)
            yield csv.reader(
                islice(lines, skipped, None),
                delimiter=separator,
                quotechar=source.options.get("quote", '"')[:1] or None,
                skipinitialspace=separator == " ",
            )
    except (UnicodeDecodeError, LookupError, csv.Error, ValueError) as error:
        raise GisError(f"File '{path.name}' cannot be read as text: {error}.") from error


def _header(source: TextSource, rows: Iterator[list[str]]) -> list[str]:
    empty: list[str] = []
    first = next(rows, empty)
    named = enumerate(first if _has_header(source) else [""] * len(first), 1)
    return [name.strip() or f"field_{number}" for number, name in named]


def _has_header(source: TextSource) -> bool:
    return source.options.get("useHeader", "yes").lower() not in _NO


def _encoding(source: TextSource) -> str:
    return (source.options.get("encoding") or "utf-8").lower().replace("utf8", "utf-8")
