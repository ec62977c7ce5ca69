"""Facts about projects, as rows show them."""

from __future__ import annotations

from collections.abc import Mapping

from ....stack.ports.diagnosis import ProjectConditions
from ..connection import Database
from .reading import Reader

MOST_PROJECTS = 10_000


class PostgresProjects(ProjectConditions):
    """Projects in the database, as a whole."""

    def __init__(self, database: Database) -> None:
        self._reader = Reader(database)

    def stores_in_use(self) -> Mapping[str, int] | None:
        found = self._reader.kept_rows("conditions_projects.stores_in_use")
        return None if found is None else {row["store"]: row["projects"] for row in found}

    def qgis_versions(self) -> Mapping[str, str] | None:
        described = self._reader.kept_rows("conditions_projects.qgis_versions", limit=MOST_PROJECTS)
        stored = self._reader.kept_rows("conditions_projects.qgis_versions_of_rows", limit=MOST_PROJECTS)
        if described is None and stored is None:
            return None
        return {row["project"]: row["version"] for row in (*(described or ()), *(stored or ()))}

    def online(self) -> tuple[str, ...] | None:
        described = self._reader.kept_rows("conditions_projects.online", limit=MOST_PROJECTS)
        layers = self._reader.kept_rows("conditions_projects.online_of_layers", limit=MOST_PROJECTS)
        if described is None and layers is None:
            return None
        return tuple(sorted({row["project"] for row in (*(described or ()), *(layers or ()))}))
