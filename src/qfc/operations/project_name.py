"""What people call a project, and its id."""

from __future__ import annotations

from uuid import UUID

from ..errors import NotFoundError
from ..stack.ports import Ports


def project_id(ports: Ports, name: str | None) -> str | None:
    """Return the id of a project named by id or `owner/name`; None when none is named. Raises NotFoundError."""
    if name is None:
        return None
    if "/" not in name and not _is_uuid(name):
        raise NotFoundError(f"{name} names no project.", hint="Give its id or OWNER/NAME; see: qfc projects list")
    return ports.directory.project(name).id


def _is_uuid(name: str) -> bool:
    try:
        UUID(name)
    except ValueError:
        return False
    return True
