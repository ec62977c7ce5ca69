"""Notices of the operator to all users: an incident, a planned maintenance, a status page. QField shows them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.utils import timezone

from .models import Setting


class SettingError(ValueError):
    """The value cannot be the setting's; the message says why."""


def _flag(text: str) -> bool:
    if text.lower() not in ("true", "false", "1", "0"):
        raise SettingError(f"{text!r} is neither True nor False.")
    return text.lower() in ("true", "1")


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise SettingError(f"{text!r} is not a time such as 2026-12-31 18:00:00 (in UTC).") from error
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


#: The settings, and what reads the text of each.
READERS: dict[str, Callable[[str], Any]] = {
    "STATUS_PAGE_URL": str,
    "INCIDENT_IS_ACTIVE": _flag,
    "INCIDENT_TIMESTAMP_UTC": _moment,
    "INCIDENT_MESSAGE": str,
    "MAINTENANCE_IS_PLANNED": _flag,
    "MAINTENANCE_START_TIMESTAMP_UTC": _moment,
    "MAINTENANCE_END_TIMESTAMP_UTC": _moment,
    "MAINTENANCE_MESSAGE": str,
}


@dataclass(frozen=True)
class Notices:
    """What `status/` tells users; times in UTC."""

    status_page_url: str | None = None
    incident_message: str | None = None
    incident_timestamp_utc: datetime | None = None
    maintenance_message: str | None = None
    maintenance_start_timestamp_utc: datetime | None = None
    maintenance_end_timestamp_utc: datetime | None = None


def store(key: str, text: str) -> None:
    """Change a setting. Raises SettingError."""
    if key not in READERS:
        raise SettingError(f"There is no setting {key}. The settings are: {', '.join(READERS)}.")
    READERS[key](text)
    Setting.objects.update_or_create(key=key, defaults={"value": text})


def values() -> dict[str, Any]:
    """Return the settings that have a value. One that cannot be read counts as unset."""
    found: dict[str, Any] = {}
    for key, text in Setting.objects.filter(key__in=READERS).values_list("key", "value"):
        try:
            found[key] = READERS[key](text)
        except SettingError:
            continue
    return found


def current() -> Notices:
    """Return the notices that count now. A maintenance is over at its end, even if nobody takes the notice back."""
    found = values()
    notices: dict[str, Any] = {"status_page_url": found.get("STATUS_PAGE_URL") or None}
    if found.get("INCIDENT_IS_ACTIVE"):
        notices |= _named(found, "INCIDENT_MESSAGE", "INCIDENT_TIMESTAMP_UTC")
    end: datetime | None = found.get("MAINTENANCE_END_TIMESTAMP_UTC")
    if found.get("MAINTENANCE_IS_PLANNED") and (end is None or end > timezone.now()):
        names = ("MESSAGE", "START_TIMESTAMP_UTC", "END_TIMESTAMP_UTC")
        notices |= _named(found, *(f"MAINTENANCE_{name}" for name in names))
    return Notices(**notices)


def _named(found: dict[str, Any], *keys: str) -> dict[str, Any]:
    return {key.lower(): found.get(key) for key in keys}
