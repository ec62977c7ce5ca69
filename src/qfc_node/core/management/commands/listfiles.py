"""`listfiles`: show which files of an account or a project use the storage."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.db.models import Count, Q, Sum

from ...models import FileType, FileVersion

LEVELS = {
    "project": ("file__project_id", "file__project__owner__username", "file__project__name"),
    "file": ("file__project_id", "file__name"),
    "version": ("file__project_id", "file__name", "pk", "uploaded_at"),
}


class Command(BaseCommand):
    """Lists files with versions and bytes, largest first, to explain a full quota."""

    help = "List the files of a project or of an owner, by size."

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the options."""
        parser.add_argument("prefix", help="Id of a project, the beginning of an id, or the name of an owner.")
        parser.add_argument("--level", choices=list(LEVELS), default="version")

    def handle(self, *args: Any, **options: Any) -> None:
        """Print one line per project, file or version."""
        del args
        prefix: str = options["prefix"]
        chosen = Q(file__project__id__startswith=prefix) | Q(file__project__owner__username__iexact=prefix)
        versions = FileVersion.objects.filter(chosen, file__file_type=FileType.PROJECT_FILE).order_by()
        rows = versions.values_list(*LEVELS[options["level"]]).annotate(n=Count("pk"), total=Sum("size"))
        for *names, count, size in rows.order_by("-total"):
            self.stdout.write("\t".join([str(size), str(count), *(str(name) for name in names)]))
