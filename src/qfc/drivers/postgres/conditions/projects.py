"""What rows tell of projects."""

from __future__ import annotations

from collections.abc import Mapping

from ..connection import Database
from .reading import Reader

MOST_PROJECTS = 10_000


class PostgresProjects:
    """Implements `qfc.stack.ports.diagnosis.ProjectConditions`."""

    def __init__(self, database: Database) -> None:
        self._reader = Reader(database)

    def stores_in_use(self) -> Mapping[str, int] | None:
        """Count projects by the name of the store that their files are in."""
        found = self._reader.kept_rows("conditions_projects.stores_in_use")
        return None if found is None else {row["store"]: row["projects"] for row in found}

    def qgis_versions(self) -> Mapping[str, str] | None:
        """Return the version of QGIS that wrote each project, as far as it is known."""
        found = self._reader.kept_rows("conditions_projects.qgis_versions", limit=MOST_PROJECTS)
        return None if found is None else {row["project"]: row["version"] for row in found}

    def online(self) -> tuple[str, ...] | None:
        """Return projects with layers in databases or services elsewhere."""
        found = self._reader.kept_rows("conditions_projects.online", limit=MOST_PROJECTS)
        return None if found is None else tuple(row["project"] for row in found)
