"""`completetags`: compute the tags of large files from before 2026-12 now, instead of in the background."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from ...old_tags import complete_tags


class Command(BaseCommand):
    """Computes what the workers compute little by little while they are idle."""

    help = "Compute the entity tags of large files that were stored by an older release. Workers do this when idle."

    def handle(self, *args: Any, **options: Any) -> None:
        """Compute the tags and print their number."""
        del args, options
        self.stdout.write(f"Tags computed: {sum(complete_tags())}.")
