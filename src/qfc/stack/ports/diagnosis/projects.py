"""Facts about projects, as rows show them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol


class ProjectConditions(Protocol):
    """Projects as a whole. None: this server does not store that, so the answer is unknown."""

    def stores_in_use(self) -> Mapping[str, int] | None:
        """Count projects by the name of the store with their files."""
        ...

    def qgis_versions(self) -> Mapping[str, str] | None:
        """Return the QGIS version that wrote each project; projects of unknown version are left out."""
        ...

    def online(self) -> tuple[str, ...] | None:
        """Return projects with layers in external databases or services."""
        ...
