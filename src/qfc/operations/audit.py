"""What was done to a stack, by whom, with which result."""

from __future__ import annotations

from ..stack.model import AuditEntry
from ..stack.ports import Ports


def audit(ports: Ports, *, limit: int) -> tuple[AuditEntry, ...]:
    """Return the last entries of the audit log, the newest first."""
    return ports.audit.entries(limit=limit)
