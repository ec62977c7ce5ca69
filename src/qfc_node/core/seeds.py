"""Seeds: the source from which a project is to be created. Without one, the project's QGIS file describes it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from .models import Project, ProjectSeed

DEFAULT_CRS = "EPSG:3857"
#: The world in Web Mercator, in metres.
WORLD = [-20037508.34, -20048966.1, 20037508.34, 20048966.1]
MAX_FORM_BYTES = 10 * 1000**2
NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?")


@dataclass(frozen=True)
class Seed:
    """A seed as the API returns it. `extent`: xmin, ymin, xmax, ymax in the units of the CRS."""

    name: str
    crs: str
    extent: list[float]
    settings: dict[str, Any]


def describe(project: Project) -> Seed:
    """Describe the stored seed, else the project's details, else the world."""
    stored = ProjectSeed.objects.filter(project=project).defer("xlsform", "json2qgis").first()
    if stored is None:
        crs, extent = _from_details(project)
        return Seed(project.name, crs, extent, {"basemaps": [], "xlsform": None})
    basemaps: list[Any] = stored.settings.get("basemaps", [])
    return Seed(project.name, stored.crs, stored.extent, {"basemaps": basemaps, "xlsform": stored.xlsform_name or None})


def _from_details(project: Project) -> tuple[str, list[float]]:
    details = project.project_details or {}
    crs: Any = details.get("crs")
    extent = _bounds(str(details.get("extent") or ""))
    return (str(crs), extent) if crs and extent else (DEFAULT_CRS, WORLD)


def _bounds(wkt: str) -> list[float] | None:
    numbers = [float(text) for text in NUMBER.findall(wkt)]
    xs, ys = numbers[::2], numbers[1::2]
    return [min(xs), min(ys), max(xs), max(ys)] if xs and len(xs) == len(ys) else None


def store(project: Project, crs: str, extent: list[float], basemaps: list[dict[str, Any]]) -> None:
    """Store the seed; its forms are kept."""
    fields = {"crs": crs, "extent": extent, "settings": {"basemaps": basemaps}}
    ProjectSeed.objects.update_or_create(project=project, defaults=fields)


def store_xlsform(project: Project, name: str, content: bytes) -> None:
    """Store the form from which layers are to be created."""
    _store_form(project, {"xlsform": content, "xlsform_name": name[:255]})


def store_json2qgis(project: Project, content: bytes) -> None:
    """Store the JSON description from which the project is to be created."""
    _store_form(project, {"json2qgis": content})


def _store_form(project: Project, form: dict[str, Any]) -> None:
    described = describe(project)
    born: dict[str, Any] = {"crs": described.crs, "extent": described.extent, "settings": {"basemaps": []}}
    ProjectSeed.objects.update_or_create(project=project, defaults=form, create_defaults={**born, **form})
