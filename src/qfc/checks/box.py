"""The box of jobs: what keeps a hostile project from the rest of the server."""

from __future__ import annotations

from ..stack.box import of_box
from .base import Check, Severity
from .evidence import Evidence


class OpenBox(Check):
    """Whoever uploads a project could reach everything that the worker can, or read all of its files."""

    id = "box"
    title = "Nothing keeps jobs from the rest of the server, or from its files"
    severity = Severity.WARNING
    fix = "Use a kernel with Landlock (5.13 or newer) and do not set QFC_NODE_BOX_WITHOUT; see docs/security.md"

    def look(self, seen: Evidence) -> str | None:
        """Read the layers that the workers report."""
        found = of_box(seen.queue().workers or ())
        return None if found is None or found.is_well else found.evidence


BOX: tuple[Check, ...] = (OpenBox(),)
