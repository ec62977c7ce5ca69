"""What images are called. Pure."""

from __future__ import annotations

from collections.abc import Mapping

#: Services that build QGIS images, and the settings that name them.
QGIS_SERVICES = ("qgis", "qgis3", "qgis4")
QGIS_SETTINGS = ("QFIELDCLOUD_QGIS_IMAGE_NAME", "QFIELDCLOUD_QGIS3_IMAGE_NAME", "QFIELDCLOUD_QGIS4_IMAGE_NAME")


def full_name(name: str) -> str:
    """Return a name with its tag: none means the latest."""
    return name if ":" in name.rpartition("/")[2] else f"{name}:latest"


def qgis_names(images: Mapping[str, str], settings: Mapping[str, str]) -> tuple[str, ...]:
    """Return the images that workers start: those that `.env` names, else those of the services that build them."""
    named = [settings[name] for name in QGIS_SETTINGS if settings.get(name)]
    built = [name for service, name in images.items() if service in QGIS_SERVICES]
    return tuple(dict.fromkeys(named or built))
