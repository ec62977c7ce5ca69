"""What rows tell of projects."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol


class ProjectConditions(Protocol):
    """Projects as a whole. None: this server does not keep that, so nobody knows."""

    def stores_in_use(self) -> Mapping[str, int] | None:
        """Count projects by the name of the store that their files are in."""
        ...

    def qgis_versions(self) -> Mapping[str, str] | None:
        """Return the version of QGIS that wrote each project, as far as it is known."""
        ...

    def online(self) -> tuple[str, ...] | None:
        """Return projects with layers in databases or services elsewhere."""
        ...
