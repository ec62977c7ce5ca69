"""The audit log of a stack."""

from __future__ import annotations

from ..stack.model import AuditEntry
from ..stack.ports import Ports


def audit(ports: Ports, *, limit: int) -> tuple[AuditEntry, ...]:
    """Return the last entries of the audit log, newest first."""
    return ports.audit.entries(limit=limit)
