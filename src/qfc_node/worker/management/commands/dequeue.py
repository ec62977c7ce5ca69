"""`dequeue`: run a worker."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from ...loop import Worker


class Command(BaseCommand):
    """Runs the jobs of the queue, one at a time, until SIGTERM."""

    help = "Run jobs. SIGTERM: finish the current job, then end. Second SIGTERM, or SIGINT: requeue it and end at once."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the options."""
        parser.add_argument("--single-shot", action="store_true", help="End when no job is waiting.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Run the worker."""
        del args
        Worker(single_shot=options["single_shot"]).run()
