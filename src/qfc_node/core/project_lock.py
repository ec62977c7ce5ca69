"""The lock that everybody takes who writes to a project, so that they follow one another: the project's row."""

from __future__ import annotations

from .models import Project


def lock_project(project: Project) -> Project:
    """Return the project as it is now, its row held to the end of the transaction. Raises Project.DoesNotExist.

    Locks are taken in this order: blobs, job, project, the rest. The store may be slow, and nobody shall wait for a
    project because of that.
    """
    return Project.objects.select_for_update(no_key=True).defer("project_details").get(pk=project.pk)
