"""The names of images. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from .model import Image

#: Services that build QGIS images, and the settings that name them.
QGIS_SERVICES = ("qgis", "qgis3", "qgis4")
QGIS_SETTINGS = ("QFIELDCLOUD_QGIS_IMAGE_NAME", "QFIELDCLOUD_QGIS3_IMAGE_NAME", "QFIELDCLOUD_QGIS4_IMAGE_NAME")

# Images inherit the label of their base image: 22.04 is a release of the base.
_BASE = re.compile(r"\d\d\.(04|10)")


def full_name(name: str) -> str:
    """Return a name with its tag; without one, the tag is `latest`."""
    return name if ":" in name.rpartition("/")[2] else f"{name}:latest"


def qgis_names(images: Mapping[str, str], settings: Mapping[str, str]) -> tuple[str, ...]:
    """Return the images that workers start: those named in `.env`, else those of the services that build them."""
    named = [settings[name] for name in QGIS_SETTINGS if settings.get(name)]
    built = [name for service, name in images.items() if service in QGIS_SERVICES]
    return tuple(dict.fromkeys(named or built))


def releases(images: Iterable[Image]) -> Mapping[str, str]:
    """Return the releases of services, as far as their images are labelled with one."""
    known = ((one, (one.release or "").removeprefix("v")) for one in images)
    labelled = [(one, release) for one, release in known if release and not _BASE.fullmatch(release)]
    return {service: release for one, release in labelled for service in one.services}
