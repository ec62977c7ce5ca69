"""Seeds: the source from which a project is to be created. Without one, the project's QGIS file describes it."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from typing import Any
from uuid import UUID

from django.db import transaction

from ..storage.blobs import stage
from . import projects, seed_projects, uploads
from .models import Project, ProjectSeed, User

DEFAULT_CRS = "EPSG:3857"
#: The world in Web Mercator, in metres.
WORLD = [-20037508.34, -20048966.1, 20037508.34, 20048966.1]
#: More bytes than the project of a seed ever has.
LARGEST_PROJECT = 10_000
MAX_FORM_BYTES = 10 * 1000**2
NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?")


@dataclass(frozen=True)
class Seed:
    """A seed as the API returns it. `extent`: xmin, ymin, xmax, ymax in the units of the CRS.

    Of a project that was made from a seed, the extent is in degrees, as on the official server.
    """

    project: UUID
    name: str
    crs: str
    extent: list[float]
    settings: dict[str, Any]
    xlsform_file: str | None = None
    clone_from_project: None = None


def stored(project: Project) -> Seed | None:
    """Return the seed that somebody stored for the project; None without one."""
    has_seed = ProjectSeed.objects.filter(project=project).exists()
    return describe(project) if has_seed else None


def describe(project: Project) -> Seed:
    """Describe the stored seed, else the project's details, else the world."""
    row = ProjectSeed.objects.filter(project=project).defer("xlsform", "json2qgis").first()
    if row is None:
        crs, extent = _from_details(project)
        return Seed(project.pk, project.name, crs, extent, {"basemaps": [], "xlsform": None})
    basemaps: list[Any] = row.settings.get("basemaps", [])
    form = row.xlsform_name or None
    settings = {"basemaps": basemaps, "xlsform": form}
    return Seed(project.pk, project.name, row.crs, row.extent, settings, xlsform_file=form)


def _from_details(project: Project) -> tuple[str, list[float]]:
    details = project.project_details or {}
    crs: Any = details.get("crs")
    extent = _bounds(str(details.get("extent") or ""))
    return (str(crs), extent) if crs and extent else (DEFAULT_CRS, WORLD)


def _bounds(wkt: str) -> list[float] | None:
    numbers = [float(text) for text in NUMBER.findall(wkt)]
    xs, ys = numbers[::2], numbers[1::2]
    return [min(xs), min(ys), max(xs), max(ys)] if xs and len(xs) == len(ys) else None


def create_project(owner: User, fields: dict[str, Any], user: User, seed: dict[str, Any]) -> Project:
    """Create a project with the QGIS file of a seed, complete when it returns.

    Raises ProjectExistsError, ProjectTypeError, ProjectFileNotAllowedError, StorageError.
    """
    extent = seed.get("extent", list(seed_projects.WORLD))
    maps = seed_projects.base_maps(seed["basemap_provider"], seed["basemap_style"], seed["basemap_url"])
    staged = stage()
    try:
        staged.write(seed_projects.project_file(fields["name"], maps, extent))
        with transaction.atomic():
            project = projects.create(owner, fields, user)
            uploads.store(project, seed_projects.FILE_NAME, staged, user)
            store(project, seed_projects.CRS, extent, [asdict(each) for each in maps])
    finally:
        staged.close()
    project.refresh_from_db()
    return project


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
