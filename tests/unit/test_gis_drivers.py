"""The processes of jobs have the drivers and file systems of the reference page, and no others."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

from qfc_node.gis.gdal_drivers import DRIVERS

PAGE = Path(__file__).parents[2] / "docs/reference/drivers.md"
#: A process of its own: other tests use parts of GDAL that jobs do not have.
LIST = """
import json
from ctypes import c_char_p, c_void_p
from qfc_node.gis.gdal import library
from qfc_node.gis.gdal_drivers import file_systems, registered_drivers
gdal = library()
gdal.GDALAllRegister()
gdal.VSIFOpenL.restype, gdal.VSIFOpenL.argtypes = c_void_p, [c_char_p, c_char_p]
names = {prefix: (prefix.encode() + b"/etc/passwd") for prefix in file_systems(gdal)}
opened = [prefix for prefix, name in names.items() if gdal.VSIFOpenL(name, b"rb")]
print(json.dumps([registered_drivers(gdal), opened]))
"""


def test_the_page_lists_what_is_registered() -> None:
    run = subprocess.run([sys.executable, "-c", LIST], capture_output=True, text=True, check=True)
    registered, opened = json.loads(run.stdout)
    rasters, vectors = PAGE.read_text(encoding="utf-8").split("## Rasters")[1].split("## Vectors")
    listed = {*re.findall(r"`([^`]+)`", rasters), *re.findall(r"^\| `([^`]+)`", vectors, re.MULTILINE)}
    assert set(registered) == listed == DRIVERS
    assert opened == []
