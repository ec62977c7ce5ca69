"""What GDAL may use: drivers that read one data set and nothing that it names, and no file system but two.

GDAL opens overviews, masks and tables that a file names with any driver that is registered, whatever drivers its caller
asked for. So everything else is taken away before the first file is opened.
"""

from __future__ import annotations

import ctypes
from ctypes import CFUNCTYPE, POINTER, c_char_p, c_int, c_void_p
from typing import Any

from .defence import Layer, is_on

#: Drivers of rasters. HFA is missing: its files name others.
RASTER_DRIVERS = ("GTiff", "PNG", "JPEG", "BMP", "GPKG", "MBTiles", "AAIGrid", "ENVI", "SRTMHGT", "XYZ")
#: The driver of a vector file by the suffix of its name. The content never decides it.
VECTOR_DRIVERS = {
    ".shp": "ESRI Shapefile",
    ".dbf": "ESRI Shapefile",
    ".geojson": "GeoJSON",
    ".json": "GeoJSON",
    ".geojsonl": "GeoJSONSeq",
    ".geojsons": "GeoJSONSeq",
    ".fgb": "FlatGeobuf",
    ".sqlite": "SQLite",
    ".sqlite3": "SQLite",
    ".db": "SQLite",
    ".gpkg": "GPKG",
    ".kml": "KML",
    ".gpx": "GPX",
    ".tab": "MapInfo File",
    ".mif": "MapInfo File",
    ".dxf": "DXF",
    ".gdb": "OpenFileGDB",
    ".xlsx": "XLSX",
    ".csv": "CSV",
    ".tsv": "CSV",
    ".ods": "ODS",
}
DRIVERS = frozenset({*RASTER_DRIVERS, *VECTOR_DRIVERS.values()})
#: File systems besides the disk: memory, which GDAL uses itself, and zip files.
FILE_SYSTEMS = frozenset({"/vsimem/", "/vsizip/"})

_OPENING = CFUNCTYPE(c_void_p, c_void_p, c_char_p, c_char_p)
_STATING = CFUNCTYPE(c_int, c_void_p, c_char_p, c_void_p, c_int)
#: Places of two functions in GDAL's structure VSIFilesystemPluginCallbacksStruct.
_STAT, _OPEN = 1, 7


def _no_file(_data: Any, _name: Any, _access: Any) -> None:
    return None


def _no_status(_data: Any, _name: Any, _buffer: Any, _flags: Any) -> int:
    return -1


#: GDAL keeps their addresses as long as the process lives.
_REFUSALS = (_OPENING(_no_file), _STATING(_no_status))


def register(gdal: Any) -> None:
    """Register the drivers of this module, and take away all other ones and the file systems that reach elsewhere."""
    gdal.GDALAllRegister()
    if not is_on(Layer.DRIVERS):
        return
    others = [name for name in registered_drivers(gdal) if name not in DRIVERS]
    # GDAL may register all drivers again by itself: then it skips these.
    gdal.CPLSetConfigOption(b"GDAL_SKIP", ",".join(others).encode())
    for name in others:
        gdal.GDALDeregisterDriver(gdal.GDALGetDriverByName(name.encode()))
    for prefix in file_systems(gdal):
        if prefix not in FILE_SYSTEMS:
            _close_file_system(gdal, prefix)


def registered_drivers(gdal: Any) -> list[str]:
    """Return the names of the drivers that can be used."""
    handles = [gdal.GDALGetDriver(number) for number in range(gdal.GDALGetDriverCount())]
    return [gdal.GDALGetDriverShortName(handle).decode() for handle in handles]


def file_systems(gdal: Any) -> list[str]:
    """Return the prefixes of names that GDAL does not look up on the disk."""
    names = gdal.VSIGetFileSystemsPrefixes()
    found: list[str] = []
    while names[len(found)]:
        found.append(names[len(found)].decode())
    return found


def _close_file_system(gdal: Any, prefix: str) -> None:
    """Put a file system in its place in which there are no files."""
    callbacks = gdal.VSIAllocFilesystemPluginCallbacksStruct()
    functions = ctypes.cast(callbacks, POINTER(c_void_p))
    opening, stating = _REFUSALS
    functions[_OPEN], functions[_STAT] = (ctypes.cast(function, c_void_p) for function in (opening, stating))
    gdal.VSIInstallPluginHandler(prefix.encode(), callbacks)
