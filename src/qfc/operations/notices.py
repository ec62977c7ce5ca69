"""Notices to all users: an incident, a planned maintenance, a status page. Apps show them above their projects.

They are settings of the application, with the same names and the same command on every kind of stack.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from typing import cast

from ..errors import QfcError, UsageError
from ..stack.api_status import STATUS
from ..stack.ports import Ports
from .guard import Options, guarded
from .management import manage

TIME = "%Y-%m-%d %H:%M:%S"


@dataclass(frozen=True)
class Notice:
    """A notice. With both times it announces a maintenance, without them it reports an incident."""

    text: str
    begins_at: datetime | None = None
    ends_at: datetime | None = None


@dataclass(frozen=True)
class NoticesShown:
    """The notices as the API tells them; None without one. Times in UTC."""

    status_page_url: str | None
    incident_message: str | None
    incident_timestamp_utc: str | None
    maintenance_message: str | None
    maintenance_start_timestamp_utc: str | None
    maintenance_end_timestamp_utc: str | None


@dataclass(frozen=True)
class NoticeChanged:
    """What was told or taken back. `settings` are the application's settings that changed."""

    steps: tuple[str, ...]
    settings: dict[str, str]
    dry_run: bool


def notice_set(ports: Ports, notice: Notice, *, status_page: str | None, options: Options) -> NoticeChanged:
    """Tell all users. Raises UsageError for times that make no sense."""
    _check(notice, ports.clock.now())
    settings = _maintenance(notice) if notice.begins_at else _incident(notice, ports.clock.now())
    if status_page is not None:
        settings = {"STATUS_PAGE_URL": status_page, **settings}
    kind = "a planned maintenance" if notice.begins_at else "an incident"
    return _change(ports, "notice set", f"Tell all users of {kind}: {notice.text}", settings, options)


def notices_shown(ports: Ports) -> NoticesShown:
    """Return what users see now. Raises UnreachableError; QfcError if the server tells no notices."""
    answer = ports.api.get(STATUS, timeout_s=10)
    document = answer.document
    if not isinstance(document, dict):
        raise QfcError(f"{STATUS} answered {answer.status} without JSON.", hint="Type: qfc health")
    told = cast("Mapping[str, object]", document)
    values = {field.name: told.get(field.name) for field in fields(NoticesShown)}
    return NoticesShown(**{name: value if isinstance(value, str) else None for name, value in values.items()})


def notice_clear(ports: Ports, options: Options) -> NoticeChanged:
    """Take all notices back."""
    settings = {"INCIDENT_IS_ACTIVE": "False", "MAINTENANCE_IS_PLANNED": "False"}
    return _change(ports, "notice clear", "Take all notices back", settings, options)


def parse_time(text: str, now: datetime) -> datetime:
    """Read a time in the zone of `now`: `2026-12-31 18:00`, or only `18:00`. Raises UsageError."""
    try:
        moment = datetime.fromisoformat(text if "-" in text else f"{now:%Y-%m-%d} {text}")
    except ValueError as error:
        raise UsageError(f"{text!r} is not a time.", hint="Type it as 2026-12-31 18:00, or 18:00 for today.") from error
    return moment if moment.tzinfo else moment.replace(tzinfo=now.tzinfo)


def _check(notice: Notice, now: datetime) -> None:
    if not notice.text.strip() or notice.text.startswith("-"):
        raise UsageError("The notice has no text, or begins with '-'.")
    if (notice.begins_at is None) != (notice.ends_at is None):
        raise UsageError("A maintenance has a beginning and an end.", hint="Give --from and --to.")
    if notice.begins_at and notice.ends_at and not (notice.begins_at < notice.ends_at and notice.ends_at > now):
        raise UsageError("The maintenance ends before it begins, or is over already.")


def _incident(notice: Notice, now: datetime) -> dict[str, str]:
    """Return the settings, the switch last: nobody sees a new switch with an old text."""
    return {"INCIDENT_MESSAGE": notice.text, "INCIDENT_TIMESTAMP_UTC": _utc(now), "INCIDENT_IS_ACTIVE": "True"}


def _maintenance(notice: Notice) -> dict[str, str]:
    assert notice.begins_at is not None
    assert notice.ends_at is not None
    return {
        "MAINTENANCE_MESSAGE": notice.text,
        "MAINTENANCE_START_TIMESTAMP_UTC": _utc(notice.begins_at),
        "MAINTENANCE_END_TIMESTAMP_UTC": _utc(notice.ends_at),
        "MAINTENANCE_IS_PLANNED": "True",
    }


def _utc(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime(TIME)


def _change(ports: Ports, command: str, sentence: str, settings: dict[str, str], options: Options) -> NoticeChanged:
    with guarded(ports, command, target="", options=options) as guard:
        if guard.step(sentence):
            for name, value in settings.items():
                manage(ports.runtime, "constance", "set", name, *_words(name, value))
        return NoticeChanged(guard.steps, settings, guard.dry_run)


def _words(name: str, value: str) -> Iterator[str]:
    """Yield the arguments of a value: the application reads a time as a date and a time of day."""
    yield from value.split(" ") if name.endswith("_UTC") else [value]
