"""Attachments of a project: photos and similar files that devices fetch on demand."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, cast

from .models import Project

#: Where QField stores photos unless the project names other folders.
DEFAULT_FOLDERS = ("DCIM",)


def attachment_folders(project: Project) -> tuple[str, ...]:
    """Return the folders that the project's details name, else the default."""
    rows = Project.objects.filter(pk=project.pk).values_list("project_details__attachment_dirs", flat=True)
    listed = cast(Any, rows.first())
    names = [name.strip("/") for name in cast(list[Any], listed or []) if isinstance(name, str)]
    return tuple(name for name in names if name) or DEFAULT_FOLDERS


def is_in(name: str, folders: Iterable[str]) -> bool:
    """Whether the file lies in one of the folders."""
    return any(name.startswith(f"{folder}/") for folder in folders)


def is_attachment(project: Project, name: str) -> bool:
    """Whether the file is an attachment of the project."""
    return is_in(name, attachment_folders(project))
