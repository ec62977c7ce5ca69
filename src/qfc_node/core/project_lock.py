"""The lock of every writer to a project, the project's row: only one of them writes at a time."""

from __future__ import annotations

from .models import Project


def lock_project(project: Project) -> Project:
    """Return the current project, its row locked until the end of the transaction. Raises Project.DoesNotExist.

    Take locks in this order: blobs, job, project, the rest. The store may be slow, and nobody should wait for a
    project because of it.
    """
    return Project.objects.select_for_update(no_key=True).defer("project_details").get(pk=project.pk)
