"""Projects, with the size of their files."""

from __future__ import annotations

from dataclasses import dataclass

from ..stack.model import Project
from ..stack.ports import Ports


@dataclass(frozen=True)
class ProjectsList:
    """Projects, most recently changed first."""

    projects: tuple[Project, ...]


def projects_list(ports: Ports, *, limit: int = 1000) -> ProjectsList:
    """Return projects."""
    return ProjectsList(ports.directory.projects(limit=limit))
