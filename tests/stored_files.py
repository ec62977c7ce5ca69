"""Files of a project for tests: stored like an upload, but without the job that reads the project file."""

from __future__ import annotations

from django.db import transaction

from qfc_node.core.blob_references import hold_blob
from qfc_node.core.file_versions import write_version
from qfc_node.core.models import FileVersion, Project, User
from qfc_node.core.project_lock import lock_project
from qfc_node.storage.blobs import stage
from qfc_node.storage.store import blob_store


def put_file(project: Project, name: str, content: bytes, user: User | None = None) -> FileVersion:
    """Store bytes as the newest version of a file."""
    staged = stage()
    staged.write(content)
    blob = blob_store().adopt(staged)
    with transaction.atomic():
        hold_blob(blob, staged)
        version = write_version(lock_project(project), name, blob, user)
    staged.close()
    return version
