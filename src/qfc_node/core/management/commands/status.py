"""`status`: check whether everything works."""

from __future__ import annotations

import sys
from typing import Any

from django.core.management.base import BaseCommand

from ...probes import probe


class Command(BaseCommand):
    """Probes database, file store and queue now; exits with 1 if one of them does not work."""

    help = "Check database, file store and queue."

    def handle(self, *args: Any, **options: Any) -> None:
        """Print the state of each, and the problems."""
        del args, options
        found = probe()
        self.stdout.write(f"database: {found.database}, storage: {found.storage}, queue: {found.queue}")
        for problem in found.problems:
            self.stderr.write(problem)
        if not found.is_ok:
            sys.exit(1)
