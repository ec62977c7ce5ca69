"""Run by QGIS's own Python: prints QGIS's view of a project as JSON. With `edit` it also adds a feature to each
editable layer, and reports whether that worked."""

import json
import sys

from qgis.core import NULL, QgsApplication, QgsFeature, QgsMapLayer, QgsProject
from qgis.PyQt.QtCore import QByteArray


def plain(value):
    """An attribute as a JSON value."""
    if value == NULL or value is None:
        return None
    if isinstance(value, QByteArray):
        return bytes(value).hex()
    return value if isinstance(value, (bool, int, float, str, list, dict)) else value.toString(1)


def features(layer):
    names = [field.name() for field in layer.fields()]
    found = []
    for feature in layer.getFeatures():
        geometry = feature.geometry()
        attributes = {name: plain(value) for name, value in zip(names, feature.attributes(), strict=True)}
        found.append({"wkt": None if geometry.isNull() else geometry.asWkt(6), "attributes": attributes})
    return found


def add_feature(layer):
    """Add a copy of some feature, with a key that the package assigns."""
    feature = QgsFeature(layer.fields())
    example = next(layer.getFeatures())
    feature.setGeometry(example.geometry())
    feature.setAttributes([None, *example.attributes()[1:]])
    count = len(list(layer.getFeatures()))
    done = layer.startEditing() and layer.addFeature(feature) and layer.commitChanges()
    return bool(done) and len(list(layer.getFeatures())) == count + 1


def describe(layer):
    entry = {
        "name": layer.name(),
        "valid": layer.isValid(),
        "provider": layer.dataProvider().name(),
        "crs": layer.crs().authid(),
    }
    if layer.type() == QgsMapLayer.VectorLayer:
        widgets = {field.name(): layer.editorWidgetSetup(i) for i, field in enumerate(layer.fields())}
        entry |= {
            "wkb_type": int(layer.wkbType()),
            "features": features(layer),
            "read_only": layer.readOnly(),
            "offline": layer.customProperty("isOfflineEditable", False) in (True, "true"),
            "keys": [layer.fields()[index].name() for index in layer.primaryKeyAttributes()],
            "types": {field.name(): field.typeName() for field in layer.fields()},
            "widgets": {name: setup.type() for name, setup in widgets.items()},
            "widget_sources": {name: setup.config().get("LayerSource") for name, setup in widgets.items()},
            "extent": layer.extent().toString(3),
        }
    return entry


def main():
    application = QgsApplication([], False)
    application.initQgis()
    project = QgsProject.instance()
    read = project.read(sys.argv[1])
    layers = {layer_id: describe(layer) for layer_id, layer in project.mapLayers().items()}
    edited = {}
    if "edit" in sys.argv:
        for layer_id, layer in project.mapLayers().items():
            if layers[layer_id].get("offline") and not layers[layer_id]["read_only"]:
                edited[layer_id] = add_feature(layer)
    print(
        json.dumps(
            {
                "read": read,
                "layers": layers,
                "edited": edited,
                "relations": {
                    name: relation.isValid() for name, relation in project.relationManager().relations().items()
                },
                "themes": project.mapThemeCollection().mapThemes(),
                "layouts": [layout.name() for layout in project.layoutManager().printLayouts()],
                "order": [layer.id() for layer in project.layerTreeRoot().layerOrder()],
                "offline_path": project.readEntry("OfflineEditingPlugin", "/OfflineDbPath")[0],
            }
        )
    )


main()
