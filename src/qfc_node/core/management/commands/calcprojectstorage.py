"""`calcprojectstorage`: count the bytes of projects again."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from ...file_versions import recount
from ...models import Project


class Command(BaseCommand):
    """Counts the bytes of all versions of all files; quotas use this number."""

    help = "Recalculate file_storage_bytes of one project or of all projects."

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the options."""
        parser.add_argument("project_id", nargs="?", help="Id of the project; without it, all projects.")
        parser.add_argument("--force-recalculate", action="store_true", help="Include projects whose number is not 0.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Count the bytes and print one line per project."""
        del args
        projects = Project.objects.defer("project_details")
        if options["project_id"]:
            projects = projects.filter(pk=options["project_id"])
        elif not options["force_recalculate"]:
            projects = projects.filter(file_storage_bytes=0)
        for project in projects.iterator(chunk_size=500):
            self.stdout.write(f"{project.pk}: {recount(project)} bytes")
