"""Run by QGIS's own Python, for as long as requests come: makes layers, edits them and reads them.

One JSON object per line in, one out. Every edit is committed by itself, through an edit buffer.
"""

import base64
import json
import sys
import traceback

from osgeo import gdal, ogr, osr
from qgis.core import (
    NULL,
    QgsApplication,
    QgsExpression,
    QgsFeature,
    QgsFeatureRequest,
    QgsGeometry,
    QgsVectorLayer,
    QgsVectorLayerUtils,
    QgsWkbTypes,
)
from qgis.PyQt.QtCore import QByteArray, QDate, QDateTime, Qt, QTime, QVariant

gdal.UseExceptions()
TYPES = {
    "text": (ogr.OFTString, ogr.OFSTNone),
    "json": (ogr.OFTString, ogr.OFSTJSON),
    "short": (ogr.OFTInteger, ogr.OFSTInt16),
    "integer": (ogr.OFTInteger, ogr.OFSTNone),
    "long": (ogr.OFTInteger64, ogr.OFSTNone),
    "boolean": (ogr.OFTInteger, ogr.OFSTBoolean),
    "real": (ogr.OFTReal, ogr.OFSTNone),
    "single": (ogr.OFTReal, ogr.OFSTFloat32),
    "date": (ogr.OFTDate, ogr.OFSTNone),
    "moment": (ogr.OFTDateTime, ogr.OFSTNone),
    "time": (ogr.OFTTime, ogr.OFSTNone),
    "binary": (ogr.OFTBinary, ogr.OFSTNone),
}


def make(driver, path, geometry, fields, features, options=(), dataset_options=()):
    """Write a layer with GDAL: fields are (name, type, width, decimals), features are (id, values, WKT)."""
    system = osr.SpatialReference()
    system.ImportFromEPSG(4326)
    dataset = ogr.GetDriverByName(driver).CreateDataSource(path, options=list(dataset_options))
    kind = gdal_type(geometry) if geometry else ogr.wkbNone
    layer = dataset.CreateLayer("t", srs=system if geometry else None, geom_type=kind, options=list(options))
    for name, kind, width, decimals in fields:
        definition = ogr.FieldDefn(name, TYPES[kind.split()[0]][0])
        definition.SetSubType(TYPES[kind.split()[0]][1])
        definition.SetWidth(width)
        definition.SetPrecision(decimals)
        assert layer.CreateField(definition) == 0
    layer.StartTransaction()
    for number, values, wkt in features:
        feature = ogr.Feature(layer.GetLayerDefn())
        if number is not None:
            feature.SetFID(number)
        for (name, kind, *_), value in zip(fields, values, strict=True):
            set_field(feature, name, kind, value)
        if wkt:
            feature.SetGeometry(ogr.CreateGeometryFromWkb(bytes(QgsGeometry.fromWkt(wkt).asWkb())))
        assert layer.CreateFeature(feature) == 0
    layer.CommitTransaction()
    del layer, dataset
    return {}


def gdal_type(name):
    kind = QgsWkbTypes.parseType(name)
    return ogr.GT_SetModifier(int(QgsWkbTypes.flatType(kind)), QgsWkbTypes.hasZ(kind), QgsWkbTypes.hasM(kind))


def set_field(feature, name, kind, value):
    if value is None:
        feature.SetFieldNull(name)
    elif kind == "binary":
        feature.SetFieldBinaryFromHexString(name, base64.b64decode(value).hex())
    else:
        feature.SetField(name, json.dumps(value) if kind == "json" else value)


def opened(source, provider):
    layer = QgsVectorLayer(source, "t", provider)
    assert layer.isValid(), source
    return layer


def apply(source, provider, key, edits):
    layer = opened(source, provider)
    key_name = next(field.name() for field in layer.fields() if field.name().lower() == key)
    return {"outcomes": [outcome(layer, key_name, each) for each in edits]}


def outcome(layer, key, edit):
    """Carry out one edit; return None if it is done, else why not."""
    assert layer.isEditable() or layer.startEditing(), layer.dataProvider().errors()
    reason = METHODS[edit["method"]](layer, key, edit)
    if reason is None and not layer.commitChanges(False):
        reason = "; ".join(layer.commitErrors())
    if reason is not None:
        layer.rollBack()
    return reason


def create(layer, key, edit):
    values = {layer.fields().indexOf(name): value for name, value in changes(layer, edit)}
    wkt = edit.get("geometry")
    feature = QgsVectorLayerUtils.createFeature(layer, QgsGeometry.fromWkt(wkt) if wkt else QgsGeometry(), values)
    return None if feature.isValid() and layer.addFeature(feature) else "not added"


def patch(layer, key, edit):
    feature = find(layer, key, edit["key"])
    if feature is None:
        return "not found"
    if "geometry" in edit and layer.isSpatial():
        wkt = edit["geometry"]
        if not layer.changeGeometry(feature.id(), QgsGeometry.fromWkt(wkt) if wkt else QgsGeometry(), True):
            return "geometry not changed"
    for name, value in changes(layer, edit):
        place = layer.fields().indexOf(name)
        if not layer.changeAttributeValue(feature.id(), place, value, feature.attribute(place), True):
            return f"{name} not changed"
    return None


def delete(layer, key, edit):
    feature = find(layer, key, edit["key"])
    if feature is None:
        return "not found"
    return None if layer.deleteFeature(feature.id()) else "not deleted"


def changes(layer, edit):
    """Names and values, as the values that a form of QGIS has."""
    for name, value in edit["attributes"].items():
        yield name, value if value is None else typed(layer.fields().field(name).type(), value)


def typed(kind, value):
    if kind == QVariant.ByteArray:
        return QByteArray.fromBase64(value.encode())
    return QDateTime.fromString(value, Qt.ISODateWithMs) if kind == QVariant.DateTime else value


METHODS = {"create": create, "patch": patch, "delete": delete}


def find(layer, key, value):
    expression = f"{QgsExpression.quotedColumnRef(key)} = {QgsExpression.quotedValue(value)}"
    found = list(layer.getFeatures(QgsFeatureRequest(QgsExpression(expression))))
    assert len(found) < 2, (key, value)
    return found[0] if found else None


def read(source, provider):
    """Everything that QGIS sees of a layer; coordinates with every bit."""
    layer = opened(source, provider)
    return {
        "fields": [[field.name(), field.typeName(), field.length(), field.precision()] for field in layer.fields()],
        "geometry": int(layer.wkbType()),
        "count": layer.featureCount(),
        "features": [described(feature) for feature in layer.getFeatures()],
    }


def described(feature: QgsFeature):
    geometry = feature.geometry()
    values = {field.name(): plain(value) for field, value in zip(feature.fields(), feature.attributes(), strict=True)}
    return [values, None if geometry.isNull() else bytes(geometry.asWkb()).hex()]


def plain(value):
    if value is None or value == NULL:
        return None
    if isinstance(value, QByteArray):
        return bytes(value).hex() or None
    if isinstance(value, QDateTime):
        return value.toString("yyyy-MM-ddTHH:mm:ss.zzz") + zone(value)
    if isinstance(value, QDate):
        return value.toString("yyyy-MM-dd")
    return value.toString("HH:mm:ss.zzz") if isinstance(value, QTime) else value


def zone(moment):
    return {0: "", 1: "Z"}.get(moment.timeSpec(), f"{moment.offsetFromUtc():+d}")


ACTIONS = {"make": make, "apply": apply, "read": read}


def main():
    application = QgsApplication([], False)
    application.initQgis()
    for line in sys.stdin:
        request = json.loads(line)
        try:
            answer = ACTIONS[request.pop("do")](**request)
        except Exception:
            answer = {"error": traceback.format_exc()}
        print(json.dumps(answer), flush=True)
    application.exitQgis()


main()
