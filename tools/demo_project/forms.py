"""The forms of the layers: editor widgets, default values, constraints, tabs."""

from __future__ import annotations

from qgis.core import (
    QgsAttributeEditorContainer,
    QgsAttributeEditorField,
    QgsAttributeEditorRelation,
    QgsDefaultValue,
    QgsEditFormConfig,
    QgsEditorWidgetSetup,
    QgsFieldConstraints,
    QgsVectorLayer,
)

VALUES: dict[tuple[str, str], list[str]] = {
    ("cables", "kind"): ["trunk", "feeder", "distribution", "drop"],
    ("cables", "status"): ["planned", "installed", "in service"],
    ("ducts", "surface"): ["asphalt", "paving", "verge", "gravel"],
    ("closures", "kind"): ["splice", "branch", "terminal"],
    ("closures", "status"): ["planned", "installed", "in service"],
    ("cabinets", "status"): ["planned", "installed", "in service"],
    ("poles", "material"): ["wood", "steel", "concrete"],
    ("poles", "condition"): ["good", "worn", "damaged"],
    ("poles", "owner"): ["network", "power company", "municipality"],
    ("inspections", "result"): ["ok", "repair", "replace"],
    ("premises", "connection"): ["none", "ordered", "connected"],
}
RANGES: dict[tuple[str, str], tuple[float, float, float]] = {
    ("poles", "height_m"): (3, 15, 0.5),
    ("poles", "attachments"): (0, 12, 1),
    ("inspections", "tilt_deg"): (0, 45, 0.1),
    ("closures", "spliced_fibres"): (0, 288, 1),
    ("ducts", "depth_cm"): (20, 200, 5),
}
ALIASES = {
    "uuid": "UUID", "height_m": "Height (m)", "tilt_deg": "Tilt (°)", "length_m": "Length (m)",
    "depth_cm": "Depth (cm)",
    "diameter_mm": "Diameter (mm)", "surveyed_at": "Surveyed at", "surveyed_by": "Surveyed by", "pole_uuid": "Pole",
    "material_code": "Material", "installed_on": "Installed on", "inspected_at": "Inspected at", "photo": "Photo",
}  # fmt: skip
NOT_NULL = {
    ("poles", "code"),
    ("closures", "code"),
    ("cables", "code"),
    ("inspections", "pole_uuid"),
    ("inspections", "result"),
}
NOW, WHO = "now()", "coalesce(@cloud_username, @user_account_name)"
DEFAULTS = {
    ("poles", "surveyed_at"): NOW, ("poles", "surveyed_by"): WHO, ("closures", "surveyed_at"): NOW,
    ("closures", "surveyed_by"): WHO, ("cabinets", "surveyed_at"): NOW, ("inspections", "inspected_at"): NOW,
    ("inspections", "inspector"): WHO, ("inspections", "result"): "'ok'", ("poles", "condition"): "'good'",
    ("cables", "length_m"): "round($length, 1)",
}  # fmt: skip
ON_UPDATE = {"surveyed_at", "surveyed_by", "length_m"}


def configure_fields(name: str, layer: QgsVectorLayer, materials: QgsVectorLayer) -> None:
    """Set widgets, aliases, defaults and constraints of every field of a layer."""
    for index, field in enumerate(layer.fields()):
        layer.setEditorWidgetSetup(index, _widget(name, field.name(), materials))
        if field.name() in ALIASES:
            layer.setFieldAlias(index, ALIASES[field.name()])
        if field.name() == "uuid":
            layer.setDefaultValueDefinition(index, QgsDefaultValue("uuid()"))
            layer.setFieldConstraint(index, QgsFieldConstraints.ConstraintUnique)
        if (name, field.name()) in DEFAULTS:
            expression = DEFAULTS[name, field.name()]
            layer.setDefaultValueDefinition(index, QgsDefaultValue(expression, field.name() in ON_UPDATE))
        if (name, field.name()) in NOT_NULL:
            layer.setFieldConstraint(index, QgsFieldConstraints.ConstraintNotNull)


def _widget(layer: str, field: str, materials: QgsVectorLayer) -> QgsEditorWidgetSetup:
    if (layer, field) in VALUES:
        return QgsEditorWidgetSetup("ValueMap", {"map": [{value: value} for value in VALUES[layer, field]]})
    if (layer, field) in RANGES:
        low, high, step = RANGES[layer, field]
        return QgsEditorWidgetSetup(
            "Range", {"Min": low, "Max": high, "Step": step, "AllowNull": True, "Style": "SpinBox"}
        )
    if field == "photo":
        return QgsEditorWidgetSetup("ExternalResource", _PHOTO)
    if field == "material_code":
        return QgsEditorWidgetSetup("ValueRelation", _material_choice(layer, materials))
    if field == "pole_uuid":
        return QgsEditorWidgetSetup(
            "RelationReference", {"Relation": "inspections_of_pole", "AllowNULL": False, "OrderByValue": True}
        )
    if field in ("fid", "uuid"):
        return QgsEditorWidgetSetup("Hidden", {})
    return QgsEditorWidgetSetup(*_PLAIN.get(field, ("TextEdit", {"IsMultiline": field == "remarks"})))


_PHOTO = {"DocumentViewer": 1, "DocumentViewerWidth": 0, "FileWidget": True, "FileWidgetButton": True,
          "RelativeStorage": 1, "StorageMode": 0, "DefaultRoot": "",
          "FileWidgetFilter": "Pictures (*.jpg *.png)"}  # fmt: skip
_STAMP = (
    "DateTime",
    {
        "display_format": "yyyy-MM-dd HH:mm",
        "field_format": "yyyy-MM-dd HH:mm:ss",
        "allow_null": True,
        "calendar_popup": True,
    },
)
_DAY = (
    "DateTime",
    {"display_format": "yyyy-MM-dd", "field_format": "yyyy-MM-dd", "allow_null": True, "calendar_popup": True},
)
_PLAIN = {
    "surveyed_at": _STAMP, "inspected_at": _STAMP, "installed_on": _DAY, "valid_from": _DAY, "valid_until": _DAY,
    "sealed": ("CheckBox", {}), "power": ("CheckBox", {}), "full_closure": ("CheckBox", {}),
}  # fmt: skip


def _material_choice(layer: str, materials: QgsVectorLayer) -> dict[str, object]:
    category = {"closures": "closure", "inspections": "pole"}[layer]
    return {"Layer": materials.id(), "LayerName": materials.name(), "LayerProviderName": materials.providerType(),
            "LayerSource": materials.publicSource(), "Key": "code", "Value": "name", "AllowNull": True,
            "AllowMulti": False, "OrderByValue": True, "NofColumns": 1,
            "FilterExpression": f"\"category\" = '{category}'"}  # fmt: skip


POLE_TABS = {
    "Pole": ["code", "street", "material", "height_m", "condition", "attachments"],
    "Photo and remarks": ["photo", "remarks"],
    "Administration": ["owner", "installed_on", "surveyed_at", "surveyed_by"],
}


def lay_out_pole_form(poles: QgsVectorLayer) -> None:
    """Add tabs to the form of poles; the last one shows the pole's inspections."""
    form = poles.editFormConfig()
    form.setLayout(QgsEditFormConfig.TabLayout)
    form.clearTabs()
    root = form.invisibleRootContainer()
    for title, fields in POLE_TABS.items():
        tab = QgsAttributeEditorContainer(title, root)
        for name in fields:
            tab.addChildElement(QgsAttributeEditorField(name, poles.fields().indexOf(name), tab))
        form.addTab(tab)
    tab = QgsAttributeEditorContainer("Inspections", root)
    tab.addChildElement(QgsAttributeEditorRelation("inspections_of_pole", tab))
    form.addTab(tab)
    poles.setEditFormConfig(form)
