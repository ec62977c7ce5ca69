"""Assemble the QGIS project: layers, groups, relation, themes, layout, and the entries of QFieldSync."""

from __future__ import annotations

import json
import re
import uuid
from pathlib import Path

from qgis.core import (
    QgsCoordinateReferenceSystem,
    QgsLayerTreeGroup,
    QgsMapLayer,
    QgsMapThemeCollection,
    QgsProject,
    QgsRasterLayer,
    QgsRectangle,
    QgsReferencedRectangle,
    QgsRelation,
    QgsVectorLayer,
)
from qgis.gui import QgsMapCanvas
from qgis.PyQt.QtGui import QColor

from .forms import configure_fields, lay_out_pole_form
from .network import NAMESPACE
from .sheet import add_sheet
from .styles import STYLES
from .village import CRS, HEIGHT, ORIGIN, WIDTH

RANDOM_UUID = r"[0-9a-f]{8}[-_][0-9a-f]{4}[-_]4[0-9a-f]{3}[-_][89ab][0-9a-f]{3}[-_][0-9a-f]{12}"
TITLE = "Hasselried fibre survey"
GROUPS: dict[str, list[str]] = {
    "Field work": ["cabinets", "closures", "poles", "inspections", "road_closures"],
    "Network": ["cables", "ducts"],
    "Reference": ["premises", "service_areas", "parcels", "materials", "background"],
}
TITLES = {
    "cabinets": "Cabinets", "closures": "Closures", "poles": "Poles", "inspections": "Pole inspections",
    "road_closures": "Road closures", "cables": "Cables", "ducts": "Ducts", "premises": "Premises",
    "service_areas": "Service areas", "parcels": "Parcels", "materials": "Materials", "background": "Village plan",
}  # fmt: skip
CLOUD_ACTIONS = {"parcels": "no_action", "materials": "no_action", "background": "copy"}
#: The layers that each theme leaves out.
THEMES = {
    "Survey": ["service_areas"],
    "Planning": ["poles", "road_closures"],
    "Overview": ["poles", "closures", "parcels", "ducts"],
}
DISPLAY = {
    "poles": "\"code\" || ' ' || coalesce(\"street\", '')", "closures": '"code"', "cabinets": '"code"',
    "cables": '"code"', "premises": '"address"', "materials": '"name"',
    "inspections": "format_date(\"inspected_at\", 'yyyy-MM-dd') || ' ' || \"result\"",
}  # fmt: skip


def build_project(folder: Path) -> QgsProject:
    """Assemble the project over the data files in `folder` and save it there as fibre_survey.qgs."""
    project = QgsProject.instance()
    project.clear()
    project.setFileName(str(folder / "fibre_survey.qgs"))
    project.setCrs(QgsCoordinateReferenceSystem(CRS))
    project.setTitle(TITLE)
    project.setBackgroundColor(QColor("#ecebdc"))
    layers = _open_layers(folder)
    _arrange(project, layers)
    _relate(project, layers)
    for name, layer in layers.items():
        _configure(name, layer, layers)
    _describe(project, layers)
    add_sheet(project, TITLE)
    canvas = _canvas(project)
    if not project.write():
        raise RuntimeError(f"QGIS could not save the project: {project.error()}")
    canvas.deleteLater()
    _make_reproducible(folder / "fibre_survey.qgs", layers)
    return project


def _open_layers(folder: Path) -> dict[str, QgsMapLayer]:
    sources = {name: (f"{folder}/network.gpkg|layername={name}", "ogr") for names in GROUPS.values() for name in names}
    sources |= {
        "premises": (f"{folder}/premises.gpkg|layername=premises", "ogr"),
        "parcels": (f"{folder}/parcels.shp", "ogr"),
        "road_closures": (f"{folder}/road_closures.geojson", "ogr"),
        "materials": (
            f"file://{folder}/materials.csv?type=csv&delimiter=,&detectTypes=yes&geomType=none",
            "delimitedtext",
        ),
    }
    layers: dict[str, QgsMapLayer] = {
        name: QgsVectorLayer(source, TITLES[name], provider) for name, (source, provider) in sources.items()
    }
    layers["background"] = QgsRasterLayer(f"{folder}/background.tif", TITLES["background"], "gdal")
    broken = [name for name, layer in layers.items() if not layer.isValid()]
    if broken:
        raise RuntimeError(f"QGIS cannot open these layers: {', '.join(broken)}")
    return layers


def _arrange(project: QgsProject, layers: dict[str, QgsMapLayer]) -> None:
    for title, names in GROUPS.items():
        group: QgsLayerTreeGroup = project.layerTreeRoot().addGroup(title)
        for name in names:
            project.addMapLayer(layers[name], False)
            group.addLayer(layers[name]).setExpanded(False)


def _relate(project: QgsProject, layers: dict[str, QgsMapLayer]) -> None:
    relation = QgsRelation()
    relation.setId("inspections_of_pole")
    relation.setName("Inspections of a pole")
    relation.setReferencingLayer(layers["inspections"].id())
    relation.setReferencedLayer(layers["poles"].id())
    relation.addFieldPair("pole_uuid", "uuid")
    relation.setStrength(QgsRelation.Composition)
    if not relation.isValid():
        raise RuntimeError(relation.validationError())
    project.relationManager().addRelation(relation)


def _configure(name: str, layer: QgsMapLayer, layers: dict[str, QgsMapLayer]) -> None:
    action = CLOUD_ACTIONS.get(name, "offline")
    layer.setCustomProperty("QFieldSync/cloud_action", action)
    layer.setCustomProperty("QFieldSync/action", "copy" if action == "copy" else action)
    if name in STYLES:
        STYLES[name](layer)
    if not isinstance(layer, QgsVectorLayer):
        return
    configure_fields(name, layer, layers["materials"])
    if name in DISPLAY:
        layer.setDisplayExpression(DISPLAY[name])
    if layer.fields().indexOf("photo") >= 0:
        naming = f"'DCIM/{name}_' || format_date(now(), 'yyyyMMddhhmmsszzz') || '.jpg'"
        layer.setCustomProperty("QFieldSync/attachment_naming", json.dumps({"photo": naming}))
        layer.setCustomProperty("QFieldSync/photo_naming", json.dumps({"photo": naming}))
    if name == "poles":
        lay_out_pole_form(layer)
    if name in ("service_areas", "premises"):
        layer.setCustomProperty("QFieldSync/is_geometry_locked", "true")


def _describe(project: QgsProject, layers: dict[str, QgsMapLayer]) -> None:
    """Set the project's own properties: map view, themes, QFieldSync's entries."""
    extent = QgsRectangle(ORIGIN[0], ORIGIN[1], ORIGIN[0] + WIDTH, ORIGIN[1] + HEIGHT)
    crs = QgsCoordinateReferenceSystem(CRS)
    project.viewSettings().setDefaultViewExtent(QgsReferencedRectangle(extent, crs))
    project.viewSettings().setPresetFullExtent(QgsReferencedRectangle(extent, crs))
    for theme, hidden in THEMES.items():
        record = QgsMapThemeCollection.MapThemeRecord()
        visible = [
            layer for names in GROUPS.values() for name in names for layer in [layers[name]] if name not in hidden
        ]
        record.setLayerRecords([QgsMapThemeCollection.MapThemeLayerRecord(layer) for layer in visible])
        project.mapThemeCollection().insert(theme, record)
    _describe_for_qfield(project, extent)


def _describe_for_qfield(project: QgsProject, extent: QgsRectangle) -> None:
    area = extent.buffered(-20).asWktPolygon()
    project.writeEntry("qfieldsync", "areaOfInterest", area)
    project.writeEntry("qfieldsync", "areaOfInterestCrs", CRS)
    project.writeEntryBool("qfieldsync", "offlineCopyOnlyAoi", False)
    project.writeEntry("qfieldsync", "attachmentDirs", ["DCIM"])
    project.writeEntry("qfieldsync", "maximumImageWidthHeight", 1600)
    project.writeEntryBool("qfieldsync", "createBaseMap", False)
    project.writeEntry("qfieldsync", "initialMapMode", "digitize")


def _canvas(project: QgsProject) -> QgsMapCanvas:
    """The map window of QGIS, which writes its extent into the project when that is saved."""
    canvas = QgsMapCanvas()
    canvas.setObjectName("theMapCanvas")
    canvas.setDestinationCrs(project.crs())
    canvas.resize(1200, 850)
    canvas.setExtent(project.viewSettings().defaultViewExtent())
    return canvas


def _make_reproducible(path: Path, layers: dict[str, QgsMapLayer]) -> None:
    """Replace everything that differs between two runs: ids, the folder, user and time of saving, orders of sets."""
    text = path.read_text(encoding="utf-8")
    for name, layer in layers.items():
        text = text.replace(layer.id(), f"{name}_{_underscored(uuid.uuid5(NAMESPACE, name))}")
    text = text.replace(f"file://{path.parent}/", "file:./")
    text = re.sub(r' saveUser(Full)?="[^"]*"', r' saveUser\1="survey"', text)
    text = re.sub(r' saveDateTime="[^"]*"', ' saveDateTime="2026-04-20T08:00:00"', text)
    text = re.sub(r"<creation>[^<]*</creation>", "<creation>2026-04-20T08:00:00</creation>", text)
    text = re.sub(r"( *<layer-setting [^>]*/>\n)+", lambda block: "".join(sorted(block[0].splitlines(True))), text)
    path.write_text(_with_stable_uuids(text), encoding="utf-8")


def _with_stable_uuids(text: str) -> str:
    """Replace every random uuid (version 4) by one that depends only on its place among the others."""
    for number, found in enumerate(dict.fromkeys(re.findall(RANDOM_UUID, text))):
        stable = uuid.uuid5(NAMESPACE, f"random {number}")
        text = text.replace(found, str(stable) if "-" in found else _underscored(stable))
    return text


def _underscored(value: uuid.UUID) -> str:
    return str(value).replace("-", "_")
