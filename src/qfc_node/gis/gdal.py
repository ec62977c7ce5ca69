"""Direct calls of the GDAL library that is part of pyogrio.

pyogrio's own Python interface reads whole layers into numpy arrays. It takes half a second and 70 MB to import, loses
large integers next to NULLs, times and lists, and cannot restrict the drivers that open a file. Its compiled module
links the complete library, so the C interface (https://gdal.org/en/stable/api/) is available for 30 ms and 24 MB.
"""

from __future__ import annotations

import ctypes
import importlib.util
import math
from collections.abc import Sequence
from ctypes import POINTER, c_char_p, c_double, c_int, c_longlong, c_ubyte, c_void_p
from functools import cache
from pathlib import Path
from typing import Any

from .defence import Layer, is_on
from .gdal_drivers import register
from .port import GisError
from .references import check_system

_DOUBLES = POINTER(c_double)
_STRINGS = POINTER(c_char_p)
_INT_POINTER = POINTER(c_int)
#: Function → (result, arguments) of all functions that are called.
_PROTOTYPES: dict[str, tuple[Any, list[Any]]] = {
    "GDALAllRegister": (None, []),
    "GDALGetDriverCount": (c_int, []),
    "GDALGetDriver": (c_void_p, [c_int]),
    "GDALGetDriverByName": (c_void_p, [c_char_p]),
    "GDALGetDriverShortName": (c_char_p, [c_void_p]),
    "GDALDeregisterDriver": (None, [c_void_p]),
    "VSIGetFileSystemsPrefixes": (_STRINGS, []),
    "VSIAllocFilesystemPluginCallbacksStruct": (c_void_p, []),
    "VSIInstallPluginHandler": (c_int, [c_char_p, c_void_p]),
    "CPLSetConfigOption": (None, [c_char_p, c_char_p]),
    "CPLSetErrorHandler": (c_void_p, [c_void_p]),
    "CPLGetLastErrorMsg": (c_char_p, []),
    "CPLErrorReset": (None, []),
    "OSRSetPROJSearchPaths": (None, [_STRINGS]),
    "OSRSetPROJEnableNetwork": (None, [c_int]),
    "GDALGetMetadataItem": (c_char_p, [c_void_p, c_char_p, c_char_p]),
    "GDALOpenEx": (c_void_p, [c_char_p, ctypes.c_uint, _STRINGS, _STRINGS, _STRINGS]),
    "GDALClose": (c_int, [c_void_p]),
    "GDALDatasetGetLayerCount": (c_int, [c_void_p]),
    "GDALDatasetGetLayer": (c_void_p, [c_void_p, c_int]),
    "GDALDatasetGetLayerByName": (c_void_p, [c_void_p, c_char_p]),
    "OGR_L_GetName": (c_char_p, [c_void_p]),
    "OGR_L_GetFIDColumn": (c_char_p, [c_void_p]),
    "OGR_L_GetGeomType": (ctypes.c_uint, [c_void_p]),
    "OGR_L_GetFeatureCount": (c_longlong, [c_void_p, c_int]),
    "OGR_L_GetLayerDefn": (c_void_p, [c_void_p]),
    "OGR_L_GetNextFeature": (c_void_p, [c_void_p]),
    "OGR_L_ResetReading": (None, [c_void_p]),
    "OGR_L_SetAttributeFilter": (c_int, [c_void_p, c_char_p]),
    "OGR_L_SetSpatialFilterRect": (None, [c_void_p, c_double, c_double, c_double, c_double]),
    "OGR_FD_GetFieldCount": (c_int, [c_void_p]),
    "OGR_FD_GetFieldDefn": (c_void_p, [c_void_p, c_int]),
    "OGR_FD_GetFieldIndex": (c_int, [c_void_p, c_char_p]),
    "OGR_Fld_GetNameRef": (c_char_p, [c_void_p]),
    "OGR_Fld_GetType": (c_int, [c_void_p]),
    "OGR_GetFieldTypeName": (c_char_p, [c_int]),
    "OGR_F_IsFieldSetAndNotNull": (c_int, [c_void_p, c_int]),
    "OGR_F_Destroy": (None, [c_void_p]),
    "OGR_F_GetGeometryRef": (c_void_p, [c_void_p]),
    "OGR_F_GetFieldAsString": (c_char_p, [c_void_p, c_int]),
    "OGR_G_WkbSize": (c_int, [c_void_p]),
    "OGR_G_ExportToIsoWkb": (c_int, [c_void_p, c_int, POINTER(c_ubyte)]),
    "GDALVectorTranslateOptionsNew": (c_void_p, [_STRINGS, c_void_p]),
    "GDALVectorTranslateOptionsFree": (None, [c_void_p]),
    "GDALVectorTranslate": (c_void_p, [c_char_p, c_void_p, c_int, POINTER(c_void_p), c_void_p, _INT_POINTER]),
    "GDALGetRasterXSize": (c_int, [c_void_p]),
    "GDALGetRasterYSize": (c_int, [c_void_p]),
    "GDALGetRasterCount": (c_int, [c_void_p]),
    "GDALGetGeoTransform": (c_int, [c_void_p, _DOUBLES]),
    "GDALGetRasterBand": (c_void_p, [c_void_p, c_int]),
    "GDALGetRasterDataType": (c_int, [c_void_p]),
    "GDALGetMaskBand": (c_void_p, [c_void_p]),
    "GDALGetBlockSize": (None, [c_void_p, _INT_POINTER, _INT_POINTER]),
    "GDALGetOverviewCount": (c_int, [c_void_p]),
    "GDALGetRasterColorTable": (c_void_p, [c_void_p]),
    "GDALGetColorEntryCount": (c_int, [c_void_p]),
    "GDALGetColorEntry": (POINTER(ctypes.c_short), [c_void_p, c_int]),
    "GDALRasterIO": (
        c_int,
        [c_void_p, c_int, c_int, c_int, c_int, c_int, c_void_p, c_int, c_int, c_int, c_int, c_int],
    ),
    "OSRNewSpatialReference": (c_void_p, [c_char_p]),
    "OSRDestroySpatialReference": (None, [c_void_p]),
    "OSRSetFromUserInputEx": (c_int, [c_void_p, c_char_p, _STRINGS]),
    "OSRSetAxisMappingStrategy": (None, [c_void_p, c_int]),
    "OCTNewCoordinateTransformation": (c_void_p, [c_void_p, c_void_p]),
    "OCTDestroyCoordinateTransformation": (None, [c_void_p]),
    "OCTTransformEx": (c_int, [c_void_p, c_int, _DOUBLES, _DOUBLES, _DOUBLES, _INT_POINTER]),
}
#: No file of a project may make GDAL load code, read elsewhere, or use much memory (in MB).
_CONFIGURATION = {
    "GDAL_DRIVER_PATH": "disable",
    "GDAL_CACHEMAX": "64",
    "GDAL_MEM_ENABLE_OPEN": "NO",
    "OGR_GEOJSON_MAX_OBJ_SIZE": "200",
    "OGR_SQLITE_LOAD_EXTENSIONS": "",
}
#: The same, as a part of the layer of drivers.
_NOTHING_ELSEWHERE = {
    "CPL_VSIL_CURL_ALLOWED_FILENAME": "nothing",
    "GML_DOWNLOAD_SCHEMA": "NO",
    "OGR_SQLITE_STATIC_VIRTUAL_OGR": "NO",
    "OGR_SQLITE_ALLOW_EXTERNAL_ACCESS": "NO",
    "OGR_SQLITE_PRAGMA": "trusted_schema=OFF",
}
#: A coordinate system is a text, never the name of a file or an address.
_ONLY_TEXT = ("ALLOW_NETWORK_ACCESS=NO", "ALLOW_FILE_ACCESS=NO")


class GdalError(GisError):
    """A call of GDAL failed; the message contains GDAL's own."""


@cache
def library() -> Any:
    """Return GDAL, ready for use. Raises GdalError if pyogrio is not installed or of an unknown build."""
    folder = _pyogrio_folder()
    module = next(folder.glob("_io.*so"), None) or next(folder.glob("_io.*pyd"), None)
    if module is None:
        raise GdalError("pyogrio is installed without its compiled part; reinstall it.")
    loaded = ctypes.CDLL(str(module))
    for name, (result, arguments) in _PROTOTYPES.items():
        function = getattr(loaded, name)
        function.restype, function.argtypes = result, arguments
    _configure(loaded, folder)
    return loaded


def last_error() -> str:
    """Return GDAL's last error message."""
    message: bytes = library().CPLGetLastErrorMsg() or b""
    return message.decode("utf-8", "replace").strip() or "unknown reason"


def string_list(texts: Sequence[str]) -> ctypes.Array[c_char_p]:
    """Return texts as a C array of strings that ends with NULL."""
    return (c_char_p * (len(texts) + 1))(*(text.encode() for text in texts), None)


class Transformation:
    """Transforms points from one coordinate system to another, x (east) before y (north) in both.

    Systems are given as `EPSG:2056`, WKT or PROJ strings. Raises GdalError for an unknown one.
    """

    def __init__(self, source: str, target: str) -> None:
        self._library = library()
        systems = [self._system(source), self._system(target)]
        self._handle = self._library.OCTNewCoordinateTransformation(*systems)
        for system in systems:
            self._library.OSRDestroySpatialReference(system)
        if not self._handle:
            raise GdalError(f"No transformation between the coordinate systems is known: {last_error()}.")

    def __del__(self) -> None:
        if getattr(self, "_handle", None):
            self._library.OCTDestroyCoordinateTransformation(self._handle)

    def points(self, points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
        """Return the points in the other system; (nan, nan) for points that it does not cover."""
        count = len(points)
        xs, ys = ((c_double * count)(*(point[axis] for point in points)) for axis in (0, 1))
        success = (c_int * count)()
        self._library.OCTTransformEx(self._handle, count, xs, ys, None, success)
        nowhere = (math.nan, math.nan)
        return [(xs[i], ys[i]) if success[i] and math.isfinite(xs[i]) else nowhere for i in range(count)]

    def _system(self, definition: str) -> c_void_p:
        check_system(definition)
        handle = self._library.OSRNewSpatialReference(None)
        self._library.OSRSetAxisMappingStrategy(handle, 0)
        if self._library.OSRSetFromUserInputEx(handle, definition.encode(), string_list(_ONLY_TEXT)) != 0:
            self._library.OSRDestroySpatialReference(handle)
            raise GdalError(f"Unknown coordinate system '{definition[:60]}'.")
        return handle


def _pyogrio_folder() -> Path:
    found = importlib.util.find_spec("pyogrio")
    if found is None or found.origin is None:
        raise GdalError("pyogrio is not installed; only GeoPackage layers can be read without it.")
    return Path(found.origin).parent


def _configure(loaded: Any, folder: Path) -> None:
    if (folder / "gdal_data").is_dir():
        loaded.CPLSetConfigOption(b"GDAL_DATA", str(folder / "gdal_data").encode())
        loaded.OSRSetPROJSearchPaths(string_list([str(folder / "proj_data")]))
    loaded.OSRSetPROJEnableNetwork(0)
    chosen = {**_CONFIGURATION, **(_NOTHING_ELSEWHERE if is_on(Layer.DRIVERS) else {})}
    for key, value in chosen.items():
        loaded.CPLSetConfigOption(key.encode(), value.encode())
    loaded.CPLSetErrorHandler(ctypes.cast(loaded.CPLQuietErrorHandler, c_void_p))
    register(loaded)
