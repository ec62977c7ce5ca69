"""`constance`: read and change settings under the names, and with the words, of the official server."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from ...models import Setting
from ...notices import READERS, SettingError, store


class Command(BaseCommand):
    """Reads and changes the operator's notices to users."""

    help = "Print or change the settings that may change while the server runs."

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the words."""
        words = parser.add_subparsers(dest="word", required=True)
        words.add_parser("list", help="Print all settings.")
        words.add_parser("get", help="Print a setting.").add_argument("key")
        changing = words.add_parser("set", help="Change a setting.")
        changing.add_argument("key")
        changing.add_argument("value", nargs="+", help="A time may be given as a date and a time of day, in UTC.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Do what the word says."""
        del args
        stored = dict(Setting.objects.values_list("key", "value"))
        if options["word"] == "list":
            for key in READERS:
                self.stdout.write(f"{key}\t{stored.get(key, '')}")
            return
        if options["word"] == "get":
            self.stdout.write(stored.get(_known(options["key"]), ""))
            return
        try:
            store(options["key"], " ".join(options["value"]))
        except SettingError as error:
            raise CommandError(str(error)) from error


def _known(key: str) -> str:
    if key not in READERS:
        raise CommandError(f"There is no setting {key}. The settings are: {', '.join(READERS)}.")
    return key
