"""Create the demo project: the fibre survey of Hasselried, an invented village.

    QT_QPA_PLATFORM=offscreen /usr/bin/python3 tools/make_demo_project.py [--output FOLDER] [--preview FILE.png]

It needs QGIS with its Python (python3-qgis; last run with 3.22) and Pillow, but nothing from the suite, so use the
system's interpreter, not the one of the virtual environment. It writes into `src/qfc/demo_project/`:

| file | layers |
|---|---|
| fibre_survey.qgs | the project: 12 layers in 3 groups, a relation, three themes, a print layout |
| network.gpkg | cabinets, cables, ducts, closures, poles, service areas, pole inspections (a table) |
| premises.gpkg | the houses |
| parcels.shp (.dbf .shx .prj .cpg) | lots |
| road_closures.geojson | announced works, in EPSG:4326 |
| materials.csv | price list |
| background.tif | a painted plan of the village |
| DCIM/*.jpg | photographs of poles, cabinets and a closure |

The same inputs give the same files: random numbers are seeded, uuids are derived from names, clocks are fixed. Only the
versions of QGIS, GDAL and Pillow still make a difference.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import sys
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
os.environ["QT_HASH_SEED"] = "0"
os.environ["OGR_CURRENT_DATE"] = "2026-04-20T08:00:00.000Z"

from demo_project.areas import service_areas
from demo_project.background import write_background
from demo_project.network import build_network
from demo_project.photos import take_photo
from demo_project.sheet import export_picture
from demo_project.sources import write_geojson, write_geopackage, write_materials, write_shapefile
from demo_project.survey import build_project
from demo_project.tables import Table, build_tables, parcels_table, premises_table, road_closures_table
from demo_project.village import CRS, build_houses
from qgis.core import (
    QgsApplication,
    QgsCoordinateReferenceSystem,
    QgsCoordinateTransform,
    QgsPointXY,
    QgsProject,
)

SEED = 20260420
OUTPUT = Path(__file__).resolve().parent.parent / "src" / "qfc" / "demo_project"


def main() -> int:
    """Parse the arguments, create the project, print its size."""
    parser = argparse.ArgumentParser(description="Create the demo project of qfc.")
    parser.add_argument("--output", type=Path, default=OUTPUT, help="folder to write into; emptied first")
    parser.add_argument("--preview", type=Path, help="also draw the print layout as a PNG")
    options = parser.parse_args()
    application = QgsApplication([], True)
    application.initQgis()
    folder = options.output.resolve()
    _empty(folder)
    _write_data(folder)
    project = build_project(folder)
    if options.preview:
        export_picture(project, options.preview, 110)
    project.clear()
    application.exitQgis()
    _print_sizes(folder)
    return 0


def _empty(folder: Path) -> None:
    """Remove the files of an earlier run; refuse a folder with any others."""
    if folder.exists():
        if any(folder.iterdir()) and not (folder / "fibre_survey.qgs").exists():
            raise SystemExit(f"{folder} is not empty and has no fibre_survey.qgs; choose another folder")
        shutil.rmtree(folder)
    (folder / "DCIM").mkdir(parents=True)


def _write_data(folder: Path) -> None:
    rng = random.Random(SEED)
    houses = build_houses(rng)
    network = build_network(houses)
    tables = build_tables(network, rng)
    write_geopackage(folder / "network.gpkg", tables, service_areas(network, tables[0]))
    write_geopackage(folder / "premises.gpkg", [premises_table(network)], {})
    write_shapefile(folder / "parcels.shp", parcels_table(houses, rng))
    write_geojson(folder / "road_closures.geojson", road_closures_table())
    write_materials(folder / "materials.csv")
    write_background(folder / "background.tif", rng)
    for table in tables:
        _take_photos(folder, table)


def _take_photos(folder: Path, table: Table) -> None:
    """Write a photo for every row that names one."""
    subject = {"poles": "pole", "cabinets": "cabinet", "closures": "closure"}.get(table.name)
    if subject is None:
        return
    names = list(table.fields)
    photo, code, surveyed = names.index("photo"), names.index("code"), names.index("surveyed_at")
    for points, values in table.rows:
        if values[photo] and points:
            take_photo(folder / str(values[photo]), subject, str(values[code]), values[surveyed], _degrees(points[0]))


def _degrees(point: tuple[float, float]) -> tuple[float, float]:
    """EPSG:25832 → longitude, latitude."""
    here, world = QgsCoordinateReferenceSystem(CRS), QgsCoordinateReferenceSystem("EPSG:4326")
    moved = QgsCoordinateTransform(here, world, QgsProject.instance()).transform(QgsPointXY(*point))
    return (moved.x(), moved.y())


def _print_sizes(folder: Path) -> None:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    for path in files:
        print(f"{path.stat().st_size:>9}  {path.relative_to(folder)}")
    print(f"{sum(path.stat().st_size for path in files):>9}  in {len(files)} files")


if __name__ == "__main__":
    sys.exit(main())
