"""Write the tables as the files that the project's layers read."""

from __future__ import annotations

import csv
from pathlib import Path

from qgis.core import (
    QgsCoordinateReferenceSystem,
    QgsCoordinateTransform,
    QgsFeature,
    QgsField,
    QgsFields,
    QgsGeometry,
    QgsPointXY,
    QgsProject,
    QgsVectorFileWriter,
    QgsWkbTypes,
)
from qgis.PyQt.QtCore import QDate, QDateTime, Qt, QVariant

from .lines import Line
from .tables import MATERIALS, Table, Value
from .village import CRS

TYPES = {
    "text": QVariant.String,
    "int": QVariant.Int,
    "real": QVariant.Double,
    "bool": QVariant.Bool,
    "date": QVariant.Date,
    "datetime": QVariant.DateTime,
}


def write_geopackage(path: Path, tables: list[Table], areas: dict[str, QgsGeometry]) -> None:
    """Write all tables into one GeoPackage. `areas`: geometries by service area name, created elsewhere."""
    for index, table in enumerate(tables):
        _write(path, table, "GPKG", ["FID=fid", "GEOMETRY_NAME=geom"], areas, append=index > 0)


def write_shapefile(path: Path, table: Table) -> None:
    """Write a Shapefile with its sidecars, in UTF-8."""
    _write(path, table, "ESRI Shapefile", [], {})


def write_geojson(path: Path, table: Table) -> None:
    """Write a GeoJSON file, in EPSG:4326 as RFC 7946 requires."""
    _write(path, table, "GeoJSON", ["RFC7946=YES", "WRITE_NAME=NO"], {}, crs="EPSG:4326")


def write_materials(path: Path) -> None:
    """Write the price list."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["code", "name", "category", "unit", "price_eur"])
        writer.writerows(MATERIALS)


def polygon(ring: Line) -> QgsGeometry:
    """Return a polygon from one closed ring."""
    return QgsGeometry.fromPolygonXY([[QgsPointXY(*point) for point in ring]])


def _write(
    path: Path,
    table: Table,
    driver: str,
    options: list[str],
    areas: dict[str, QgsGeometry],
    *,
    append: bool = False,
    crs: str = CRS,
) -> None:
    context = QgsProject.instance().transformContext()
    save = QgsVectorFileWriter.SaveVectorOptions()
    save.driverName, save.layerName, save.layerOptions, save.fileEncoding = driver, table.name, options, "UTF-8"
    if append:
        save.actionOnExistingFile = QgsVectorFileWriter.CreateOrOverwriteLayer
    fields = _fields(table)
    target = QgsCoordinateReferenceSystem(crs)
    kind = QgsWkbTypes.parseType(table.kind)
    reference = target if table.kind != "NoGeometry" else QgsCoordinateReferenceSystem()
    writer = QgsVectorFileWriter.create(str(path), fields, kind, reference, context, save)
    if writer.hasError() != QgsVectorFileWriter.NoError:
        raise RuntimeError(f"{path.name}, {table.name}: {writer.errorMessage()}")
    transform = QgsCoordinateTransform(QgsCoordinateReferenceSystem(CRS), target, context)
    for line, values in table.rows:
        feature = QgsFeature(fields)
        feature.setAttributes([_qt(value) for value in values])
        geometry = areas.get(str(values[1])) if line is None else _geometry(table.kind, line)
        if geometry is not None:
            geometry.transform(transform)
            feature.setGeometry(geometry)
        if not writer.addFeature(feature):
            raise RuntimeError(f"{path.name}, {table.name}: {writer.errorMessage()}")


def _fields(table: Table) -> QgsFields:
    fields = QgsFields()
    for name, kind in table.fields.items():
        length = 80 if kind == "text" and name.isupper() else 0
        fields.append(
            QgsField(
                name, TYPES[kind], len=length or 12 * name.isupper(), prec=1 if name.isupper() and kind == "real" else 0
            )
        )
    return fields


def _geometry(kind: str, line: Line) -> QgsGeometry:
    points = [QgsPointXY(*point) for point in line]
    if kind == "Point":
        return QgsGeometry.fromPointXY(points[0])
    return polygon(line) if kind == "Polygon" else QgsGeometry.fromPolylineXY(points)


def _qt(value: Value) -> object:
    """Convert a value for the QGIS writer. Times are UTC, so that the bytes do not depend on the machine."""
    if hasattr(value, "hour"):
        return QDateTime(value.year, value.month, value.day, value.hour, value.minute, 0, 0, Qt.UTC)
    if hasattr(value, "year"):
        return QDate(value.year, value.month, value.day)
    return value
