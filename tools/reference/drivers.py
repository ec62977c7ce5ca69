"""The page about the formats that GDAL reads in jobs."""

from __future__ import annotations

from qfc_node.gis.gdal_drivers import FILE_SYSTEMS, RASTER_DRIVERS, VECTOR_DRIVERS
from qfc_node.gis.sqlite_safety import VIRTUAL_TABLES

from .markdown import table

_PAGE = """# Drivers of GDAL in jobs

{note}

GDAL opens whatever a file names with any driver that it has. So the processes of jobs have only these drivers and file
systems; a test compares this page with what is registered there. [Security](../security.md) says why.

## Rasters

Drawn in the thumbnail of a project. Other rasters travel in packages like any file, but are not drawn.

{rasters}

## Vectors

The suffix of a file's name alone decides which driver reads it.

{vectors}

File systems besides the disk: {systems}.

## SQLite files and GeoPackages

A file is not opened if its schema has virtual tables other than {modules}; views, triggers or columns that call
functions which read files, load code or describe the server; or a journal that names other files.
"""


def drivers_page(note: str) -> str:
    """Return the page."""
    suffixes: dict[str, list[str]] = {}
    for suffix, driver in VECTOR_DRIVERS.items():
        suffixes.setdefault(driver, []).append(f"`{suffix}`")
    return _PAGE.format(
        note=note,
        rasters=", ".join(f"`{name}`" for name in sorted(RASTER_DRIVERS)) + ".",
        vectors=table(
            ("driver", "suffixes"), [(f"`{name}`", ", ".join(ends)) for name, ends in sorted(suffixes.items())]
        ),
        systems=", ".join(f"`{name}`" for name in sorted(FILE_SYSTEMS)),
        modules=", ".join(f"`{name}`" for name in sorted(VIRTUAL_TABLES)),
    )
