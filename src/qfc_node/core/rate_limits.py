"""Limit how often projects are synchronised: token buckets in the database, so that all processes share them.

A limit of N a minute lets N requests pass at once, then one every 60/N seconds. A bucket's level is stored as the time
at which it is empty again; one statement looks and takes, so two requests never get the same place. What counts, and
why this is not a library: decision 32.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Max, Q, Sum
from django.db.models.functions import Now
from django.utils import timezone

from .models import RateBucket, RateLimit, RateRefusal

MINUTE_S = 60.0
ALL, PROJECT = "all", "project"
#: How long the numbers of refused requests are kept.
REFUSALS_KEPT = timedelta(days=7)

_TAKE = """
insert into node_rate_bucket as bucket (scope, empty_at)
values (%(scope)s, clock_timestamp() + make_interval(secs => %(step_s)s))
on conflict (scope) do update
    set empty_at = greatest(bucket.empty_at, clock_timestamp()) + make_interval(secs => %(step_s)s)
    where bucket.empty_at <= clock_timestamp() + make_interval(secs => %(room_s)s)
returning 0.0::float8
"""
_WAIT = """
select greatest(0.0, extract(epoch from empty_at - clock_timestamp()) - %(room_s)s)::float8
from node_rate_bucket where scope = %(scope)s
"""
_NOTE = """
insert into node_rate_refusal as noted (project_id, hour, refused)
values (%(project)s, date_trunc('hour', now(), 'UTC'), 1)
on conflict (project_id, hour) do update set refused = noted.refused + 1, last_at = now()
returning refused
"""


@dataclass(frozen=True)
class Wanted:
    """A limit that an operator wants."""

    scope: str
    per_minute: int
    until: datetime | None = None


@dataclass(frozen=True)
class Refused:
    """How many requests for a project were refused, and when the last one."""

    project_id: UUID
    refused: int
    last_at: datetime


class RateLimitError(Exception):
    """The request exceeds a limit; `wait_s` seconds later there is room for one."""

    def __init__(self, wait_s: float) -> None:
        super().__init__(f"wait {wait_s:.0f} s")
        self.wait_s = wait_s


def take(project_id: UUID) -> None:
    """Count one synchronisation of a project. Raises RateLimitError, and then counts nothing but the refusal."""
    limits = _limits_of(project_id)
    if not limits:
        return
    try:
        with transaction.atomic():
            for limit in limits:
                _take_from(_bucket(limit, project_id), limit.per_minute)
    except RateLimitError:
        _note_refusal(project_id)
        raise


def limits() -> list[RateLimit]:
    """Return the limits that hold now, by their scope."""
    return list(RateLimit.objects.filter(Q(until=None) | Q(until__gt=Now())).order_by("scope"))


def replace(wanted: Iterable[Wanted]) -> None:
    """Replace all limits."""
    with transaction.atomic():
        RateLimit.objects.all().delete()
        RateLimit.objects.bulk_create(RateLimit(**asdict(one)) for one in wanted)
        RateBucket.objects.filter(empty_at__lt=Now()).delete()


def refused_since(moment: datetime) -> list[Refused]:
    """Return what was refused in the hours since a time, by project, most first."""
    rows = RateRefusal.objects.filter(last_at__gte=moment).values("project_id")
    counted = rows.annotate(number=Sum("refused"), last=Max("last_at")).order_by("-number", "project_id")
    return [Refused(row["project_id"], row["number"], row["last"]) for row in counted]


def _limits_of(project_id: UUID) -> list[RateLimit]:
    """Return the limits that a request for a project has to pass, those of the project first.

    All requests wait for the bucket of all projects, so its row is locked last and for the shortest time.
    """
    scopes = (str(project_id), PROJECT, ALL)
    found = RateLimit.objects.filter(Q(until=None) | Q(until__gt=Now()), scope__in=scopes)
    return sorted(found, key=lambda limit: scopes.index(limit.scope))


def _bucket(limit: RateLimit, project_id: UUID) -> str:
    """Return the name of a limit's bucket: the limit of each project has one for each of them."""
    return project_id.hex if limit.scope == PROJECT else limit.scope


def _take_from(scope: str, per_minute: int) -> None:
    step_s = MINUTE_S / per_minute
    numbers = {"scope": scope, "step_s": step_s, "room_s": MINUTE_S - step_s}
    with connection.cursor() as cursor:
        cursor.execute(_TAKE, numbers)
        if cursor.fetchone() is not None:
            return
        cursor.execute(_WAIT, numbers)
        row = cursor.fetchone()
    raise RateLimitError(row[0] if row else step_s)


def _note_refusal(project_id: UUID) -> None:
    """Count a refused request; the first one of an hour also removes old numbers."""
    with connection.cursor() as cursor:
        cursor.execute(_NOTE, {"project": project_id})
        row = cursor.fetchone()
    if row and row[0] == 1:
        RateRefusal.objects.filter(last_at__lt=timezone.now() - REFUSALS_KEPT).delete()
