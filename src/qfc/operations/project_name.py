"""The id of a project that an operator names."""

from __future__ import annotations

from uuid import UUID

from ..errors import NotFoundError
from ..stack.ports import Ports


def project_id(ports: Ports, name: str | None) -> str | None:
    """Return the id of a project given by id or `owner/name`; None for None. Raises NotFoundError."""
    if name is None:
        return None
    if "/" not in name and not _is_uuid(name):
        raise NotFoundError(f"{name} is neither a project id nor OWNER/NAME.", hint="Type: qfc projects list")
    return ports.directory.project(name).id


def _is_uuid(name: str) -> bool:
    try:
        UUID(name)
    except ValueError:
        return False
    return True
