"""`ratelimit`: show and replace the limits on how often projects are synchronised."""

from __future__ import annotations

import json
import sys
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from ...rate_limits import ALL, PROJECT, Wanted, limits, refused_since, replace

MOST_PER_MINUTE = 10_000


class Command(BaseCommand):
    """Prints the limits and what they refused as JSON, or replaces all of them by those of standard input."""

    help = "Show or replace the limits on how often projects are synchronised."

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the words."""
        words = parser.add_subparsers(dest="word", required=True)
        shown = words.add_parser("show", help="Print limits and refused requests as JSON.")
        shown.add_argument("--hours", type=float, default=24.0, help="Hours of refused requests.")
        words.add_parser("replace", help="Replace all limits by the JSON list on standard input; [] ends all limits.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Do what the word says."""
        del args
        if options["word"] == "show":
            self.stdout.write(json.dumps(_shown(options["hours"])))
            return
        try:
            wanted = [_wanted(one) for one in json.load(sys.stdin)]
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise CommandError(f"These are not limits: {error}") from error
        replace(wanted)


def _shown(hours: float) -> dict[str, Any]:
    refused = refused_since(timezone.now() - timedelta(hours=hours))
    return {
        "limits": [
            {"scope": one.scope, "per_minute": one.per_minute, "until": one.until and one.until.isoformat()}
            for one in limits()
        ],
        "refused": [
            {"project_id": str(one.project_id), "refused": one.refused, "last_at": one.last_at.isoformat()}
            for one in refused
        ],
    }


def _wanted(document: Any) -> Wanted:
    """Read one limit. Raises ValueError, TypeError, KeyError or AttributeError."""
    scope, per_minute, until = document["scope"], document["per_minute"], document.get("until")
    if scope not in (ALL, PROJECT):
        scope = str(UUID(scope))
    if not isinstance(per_minute, int) or not 1 <= per_minute <= MOST_PER_MINUTE:
        raise ValueError(f"{per_minute!r} is not a number between 1 and {MOST_PER_MINUTE}")
    return Wanted(scope, per_minute, _moment(until) if until else None)


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"{text} has no time zone")
    return moment
