"""Facts about the database, and its missing migrations."""

from __future__ import annotations

from dataclasses import replace

from ..errors import CommandError, UnreachableError
from ..stack.model import DatabaseStatus
from ..stack.ports import Ports
from .management import unapplied_migrations


def db_status(ports: Ports) -> DatabaseStatus:
    """Return version, size, connections, largest tables; migrations are None if the application does not answer."""
    status = ports.directory.database()
    try:
        return replace(status, unapplied_migrations=unapplied_migrations(ports.runtime))
    except (CommandError, UnreachableError):
        return status
