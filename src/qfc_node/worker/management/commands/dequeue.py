"""`dequeue`: a worker."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from ...loop import Worker


class Command(BaseCommand):
    """Take jobs out of the queue, one at a time, until SIGTERM."""

    help = "Work on jobs. SIGTERM: finish the present one and end; twice, or SIGINT: give it back and end at once."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the options."""
        parser.add_argument("--single-shot", action="store_true", help="end when no job is waiting")

    def handle(self, *args: Any, **options: Any) -> None:
        """Run the worker."""
        del args
        Worker(single_shot=options["single_shot"]).run()
