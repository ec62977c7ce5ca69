"""Notices to users, from the command line to what QField reads."""

from __future__ import annotations

import httpx
import pytest

from qfc_command import Qfc

pytestmark = pytest.mark.slow


def test_a_notice_reaches_the_apps_and_goes_again(running: Qfc) -> None:
    url = f"{running.ok('status')['url']}/api/v1/status/"
    assert "no notice" in running("notice").out

    running.ok("notice", "The store is slow.", "--status-page", "https://status.example.org/")
    running.ok("notice", "A new release", "--from", "2999-01-01 18:00", "--to", "2999-01-01 20:00")

    told = httpx.get(url).json()
    assert (told["incident_message"], told["maintenance_message"]) == ("The store is slow.", "A new release")
    assert told["status_page_url"] == "https://status.example.org/"
    assert "The store is slow." in running("notice").out
    assert running.ok("notice")["maintenance_message"] == "A new release"

    running.ok("notice", "--clear")
    assert httpx.get(url).json()["incident_message"] is None


def test_half_a_maintenance_is_a_mistake(running: Qfc) -> None:
    assert running("notice", "x", "--from", "2999-01-01 18:00").code == 2
    assert running("notice", "--to", "18:00").code == 2
