"""`purge_old_file_versions`: remove more versions than a plan keeps."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction

from ...file_versions import delete_version, keep_versions
from ...models import File, FileType, FileVersion, Project


class Command(BaseCommand):
    """Removes old versions of all files. Uploads also do this; the command is for plans that became smaller."""

    help = "Delete old versions of files beyond the number that the project or its owner's plan keeps."

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the options."""
        parser.add_argument("--projects", default="", help="Ids, separated by commas; without it, all projects.")
        parser.add_argument("--force", action="store_true", help="Remove the versions; without it, only count them.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Remove or count the versions."""
        del args
        wanted = [text.strip() for text in options["projects"].split(",") if text.strip()]
        projects = Project.objects.filter(pk__in=wanted) if wanted else Project.objects.all()
        if wanted and projects.count() != len(wanted):
            raise CommandError("One of the projects does not exist.")
        total = sum(_purge(project, really=options["force"]) for project in projects.defer("project_details"))
        if options["force"]:
            self.stdout.write(f"Versions removed: {total}.")
        else:
            self.stdout.write(f"Versions to remove: {total}. To remove them, add --force.")


def _purge(project: Project, *, really: bool) -> int:
    keep = max(1, keep_versions(project))
    count = 0
    with transaction.atomic():
        for file in File.objects.filter(project=project, file_type=FileType.PROJECT_FILE):
            old = list(FileVersion.objects.filter(file=file).order_by("-uploaded_at", "-id")[keep:])
            count += len(old)
            for version in old if really else ():
                delete_version(version)
    return count
