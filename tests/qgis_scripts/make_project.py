"""Run by QGIS's own Python: writes a project with layers of several kinds into the given folder."""

import json
import sys
from pathlib import Path

import numpy
from osgeo import gdal, osr
from qgis.core import (
    QgsApplication,
    QgsCategorizedSymbolRenderer,
    QgsCoordinateReferenceSystem,
    QgsEditorWidgetSetup,
    QgsFeature,
    QgsGeometry,
    QgsMapThemeCollection,
    QgsPrintLayout,
    QgsProject,
    QgsRasterLayer,
    QgsRectangle,
    QgsReferencedRectangle,
    QgsRelation,
    QgsRendererCategory,
    QgsSymbol,
    QgsVectorFileWriter,
    QgsVectorLayer,
)

FOLDER = Path(sys.argv[1])
PROJECT = QgsProject.instance()


def write(definition, file_name, driver, rows):
    """Write features given as (WKT or None, attributes) to a file."""
    memory = QgsVectorLayer(definition, "memory", "memory")
    assert memory.isValid(), definition
    for wkt, attributes in rows:
        feature = QgsFeature(memory.fields())
        feature.setAttributes(attributes)
        if wkt:
            feature.setGeometry(QgsGeometry.fromWkt(wkt))
        memory.dataProvider().addFeature(feature)
    options = QgsVectorFileWriter.SaveVectorOptions()
    options.driverName = driver
    options.layerName = Path(file_name).stem
    if (FOLDER / file_name).exists():
        options.actionOnExistingFile = QgsVectorFileWriter.CreateOrOverwriteLayer
    result = QgsVectorFileWriter.writeAsVectorFormatV3(
        memory, str(FOLDER / file_name), PROJECT.transformContext(), options
    )
    assert result[0] == QgsVectorFileWriter.NoError, result


def tree(number):
    """A tree with a value of every type."""
    attributes = [f"tree é{number}", number / 3, "2024-02-29", "2024-02-29T12:34:56"]
    return f"Point ({7 + number / 10} {46 + number / 10})", [*attributes, number % 2 == 0, 2**40 + number, number % 3]


def write_files():
    write(
        "Point?crs=EPSG:4326&field=name:string(40)&field=height:double&field=day:date&field=moment:datetime"
        "&field=flag:bool&field=big:int8&field=kind:int",
        "trees.gpkg",
        "GPKG",
        [*map(tree, range(1, 8)), (None, ["nowhere", *[None] * 6])],
    )
    polygon = "PolygonZ ((2600000 1200000 5, 2610000 1200000 5, 2610000 1210000 5, 2600000 1200000 5))"
    write("PolygonZ?crs=EPSG:2056&field=name:string", "areas.gpkg", "GPKG", [(polygon, ["a"])])
    lines = "MultiLineString ((7 46, 8 47), (8 46, 9 46))"
    write("MultiLineString?crs=EPSG:4326&field=name:string", "ways.gpkg", "GPKG", [(lines, ["w"])])
    kinds = [(None, [number, f"kind {number}"]) for number in range(3)]
    write("NoGeometry?field=code:int&field=label:string", "kinds.gpkg", "GPKG", kinds)
    write(
        "Point?crs=EPSG:4326&field=fid:int&field=note:string(20)&field=size:double(10,3)",
        "poles.shp",
        "ESRI Shapefile",
        [("Point (7.5 46.5)", [11, "x", 1.5]), ("Point (8.5 47.5)", [12, "y", None])],
    )
    zone = ("Polygon ((7 46, 8 46, 8 47, 7 46))", [3, "z"])
    write("Polygon?crs=EPSG:4326&field=fid:int&field=note:string", "zones.geojson", "GeoJSON", [zone])
    write("Point?crs=EPSG:4326&field=note:string", "keyless.geojson", "GeoJSON", [("Point (7 46)", ["k"])])
    (FOLDER / "stops.csv").write_text("fid,lon,lat,name\n4,7.25,46.25,stop\n5,7.75,46.5,other\n")
    raster = gdal.GetDriverByName("GTiff").Create(str(FOLDER / "map.tif"), 60, 40, 1)
    raster.SetGeoTransform([7, 0.05, 0, 48, 0, -0.05])
    system = osr.SpatialReference()
    system.ImportFromEPSG(4326)
    raster.SetProjection(system.ExportToWkt())
    raster.GetRasterBand(1).WriteArray(numpy.arange(2400, dtype="u1").reshape(40, 60))


def add_layers():
    sources = {
        "trees": ("trees.gpkg|layername=trees", "ogr"),
        "tall trees": ("trees.gpkg|layername=trees", "ogr"),
        "areas": ("areas.gpkg|layername=areas", "ogr"),
        "ways": ("ways.gpkg|layername=ways", "ogr"),
        "kinds": ("kinds.gpkg|layername=kinds", "ogr"),
        "poles": ("poles.shp", "ogr"),
        "zones": ("zones.geojson", "ogr"),
        "keyless": ("keyless.geojson", "ogr"),
        "stops": ("stops.csv?type=csv&detectTypes=yes&xField=lon&yField=lat&crs=EPSG:4326", "delimitedtext"),
    }
    layers = {}
    for name, (source, provider) in sources.items():
        prefix = "file://" if provider == "delimitedtext" else ""
        layers[name] = QgsVectorLayer(f"{prefix}{FOLDER}/{source}", name, provider)
        assert layers[name].isValid(), name
    layers["map"] = QgsRasterLayer(str(FOLDER / "map.tif"), "map")
    layers["tall trees"].setSubsetString('"height" > 1')
    PROJECT.addMapLayers(list(layers.values()))
    return layers


def decorate(layers):
    trees = layers["trees"]
    categories = [QgsRendererCategory(n, QgsSymbol.defaultSymbol(trees.geometryType()), f"kind {n}") for n in range(3)]
    trees.setRenderer(QgsCategorizedSymbolRenderer("kind", categories))
    relation = {
        "Layer": layers["kinds"].id(),
        "LayerName": "kinds",
        "LayerSource": layers["kinds"].source(),
        "LayerProviderName": "ogr",
        "Key": "code",
        "Value": "label",
    }
    trees.setEditorWidgetSetup(trees.fields().indexOf("kind"), QgsEditorWidgetSetup("ValueRelation", relation))
    link = QgsRelation()
    link.setId("link")
    link.setName("link")
    link.setReferencedLayer(layers["kinds"].id())
    link.setReferencingLayer(trees.id())
    link.addFieldPair("kind", "code")
    PROJECT.relationManager().addRelation(link)
    theme = QgsMapThemeCollection.MapThemeRecord()
    theme.addLayerRecord(QgsMapThemeCollection.MapThemeLayerRecord(trees))
    PROJECT.mapThemeCollection().insert("only trees", theme)
    layout = QgsPrintLayout(PROJECT)
    layout.setName("page")
    PROJECT.layoutManager().addLayout(layout)


def main():
    application = QgsApplication([], False)
    application.initQgis()
    write_files()
    layers = add_layers()
    decorate(layers)
    PROJECT.setCrs(QgsCoordinateReferenceSystem("EPSG:4326"))
    extent = QgsReferencedRectangle(QgsRectangle(7, 46, 10, 48), PROJECT.crs())
    PROJECT.viewSettings().setDefaultViewExtent(extent)
    assert PROJECT.write(str(FOLDER / sys.argv[2]))
    print(json.dumps({name: layer.id() for name, layer in layers.items()}))


main()
