"""Write the smallest project that a server processes like any other, with one point. Run it with QGIS's own Python:

QT_QPA_PLATFORM=offscreen /usr/bin/python3 tools/make_probe_project.py src/qfc/probe_project
"""

import re
import sys
from pathlib import Path

from qgis.core import (
    QgsApplication,
    QgsCoordinateReferenceSystem,
    QgsCoordinateTransformContext,
    QgsFeature,
    QgsGeometry,
    QgsPointXY,
    QgsProject,
    QgsRectangle,
    QgsReferencedRectangle,
    QgsVectorFileWriter,
    QgsVectorLayer,
)

FOLDER = Path(sys.argv[1])


def write_points() -> None:
    """Write one point."""
    memory = QgsVectorLayer("Point?crs=EPSG:4326&field=name:string(40)", "points", "memory")
    feature = QgsFeature(memory.fields())
    feature.setAttributes(["probe"])
    feature.setGeometry(QgsGeometry.fromPointXY(QgsPointXY(8, 47)))
    memory.dataProvider().addFeature(feature)
    options = QgsVectorFileWriter.SaveVectorOptions()
    options.driverName, options.layerName = "GPKG", "points"
    path = str(FOLDER / "points.gpkg")
    QgsVectorFileWriter.writeAsVectorFormatV3(memory, path, QgsCoordinateTransformContext(), options)


def write_project() -> None:
    """Write the project, without its author's name."""
    project = QgsProject.instance()
    project.setCrs(QgsCoordinateReferenceSystem("EPSG:4326"))
    project.setTitle("qfc probe")
    layer = QgsVectorLayer(f"{FOLDER}/points.gpkg|layername=points", "points", "ogr")
    layer.setCustomProperty("QFieldSync/cloud_action", "offline")
    project.addMapLayer(layer)
    extent = QgsRectangle(7.9, 46.9, 8.1, 47.1)
    project.viewSettings().setDefaultViewExtent(QgsReferencedRectangle(extent, project.crs()))
    project.write(f"{FOLDER}/probe.qgs")
    path = FOLDER / "probe.qgs"
    text = re.sub(r'(saveUser(?:Full)?=")\w+', r"\1qfc", path.read_text())
    path.write_text(re.sub(r"<author>\w+", "<author>qfc", text))


application = QgsApplication([], False)
application.initQgis()
write_points()
write_project()
application.exitQgis()
