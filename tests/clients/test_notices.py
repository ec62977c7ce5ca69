"""The operator's notices, which QField shows on its page of projects: only with an answer of 2xx."""

from __future__ import annotations

import io
from typing import Any

import pytest

from qfc.drivers.postgres_server import Endpoint

FIELDS = [
    "status_page_url",
    "incident_message",
    "incident_timestamp_utc",
    "maintenance_message",
    "maintenance_start_timestamp_utc",
    "maintenance_end_timestamp_utc",
]


@pytest.fixture
def speaker(node_database: Endpoint) -> Any:
    from api_world import Speaker

    return Speaker()


def constance(*words: str) -> str:
    from django.core.management import call_command

    printed = io.StringIO()
    call_command("constance", *words, stdout=printed)
    return printed.getvalue().strip()


def told(speaker: Any) -> dict[str, Any]:
    answer = speaker.get("status/")
    assert answer.status_code == 200
    assert (answer.json()["database"], answer.json()["storage"]) == ("ok", "ok")
    return {name: answer.json()[name] for name in FIELDS}


def test_without_notices_every_field_is_null(speaker: Any) -> None:
    assert told(speaker) == dict.fromkeys(FIELDS)


def test_an_incident(speaker: Any) -> None:
    constance("set", "INCIDENT_MESSAGE", "The store is slow.")
    constance("set", "INCIDENT_TIMESTAMP_UTC", "2026-11-30", "08:15:00")
    assert told(speaker)["incident_message"] is None, "only once it is active"
    constance("set", "INCIDENT_IS_ACTIVE", "True")
    constance("set", "STATUS_PAGE_URL", "https://status.example.org/")

    assert told(speaker) == {
        **dict.fromkeys(FIELDS),
        "status_page_url": "https://status.example.org/",
        "incident_message": "The store is slow.",
        "incident_timestamp_utc": "2026-11-30T08:15:00Z",
    }
    assert constance("get", "INCIDENT_MESSAGE") == "The store is slow."
    assert "INCIDENT_IS_ACTIVE\tTrue" in constance("list")


@pytest.mark.parametrize(("year", "is_told"), [("2999", True), ("2020", False)])
def test_a_maintenance_ends_by_itself(speaker: Any, year: str, is_told: bool) -> None:
    constance("set", "MAINTENANCE_MESSAGE", "A new release")
    constance("set", "MAINTENANCE_START_TIMESTAMP_UTC", f"{year}-01-01T18:00:00+01:00")
    constance("set", "MAINTENANCE_END_TIMESTAMP_UTC", f"{year}-01-01 20:00:00")
    constance("set", "MAINTENANCE_IS_PLANNED", "True")

    found = told(speaker)

    assert (found["maintenance_message"] == "A new release") == is_told
    assert found["maintenance_start_timestamp_utc"] == (f"{year}-01-01T17:00:00Z" if is_told else None)
    assert found["maintenance_end_timestamp_utc"] == (f"{year}-01-01T20:00:00Z" if is_told else None)


@pytest.mark.parametrize(
    ("key", "value"), [("INCIDENT_IS_ACTIVE", "maybe"), ("INCIDENT_TIMESTAMP_UTC", "soon"), ("NONSENSE", "1")]
)
def test_nonsense_is_refused(speaker: Any, key: str, value: str) -> None:
    from django.core.management import CommandError

    with pytest.raises(CommandError, match=r"setting|True|time"):
        constance("set", key, value)
    assert told(speaker) == dict.fromkeys(FIELDS)


def test_a_notice_is_shown_while_a_part_is_down(speaker: Any) -> None:
    """The truth is in the body: QField shows a banner only with 2xx."""
    from django.conf import settings

    constance("set", "INCIDENT_MESSAGE", "The store is down.")
    constance("set", "INCIDENT_IS_ACTIVE", "1")
    (settings.DATA_DIR / "staging").write_text("a file where the folder has to be")

    answer = speaker.get("status/")

    assert (answer.status_code, answer.json()["storage"], answer.json()["code"]) == (200, "error", "status_not_ok")
    assert answer.json()["incident_message"] == "The store is down."
