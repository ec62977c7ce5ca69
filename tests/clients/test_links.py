"""Pages to which QFieldSync links: a project, and a new password."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest

from mail_server import MailServer, mail_server
from qfc.drivers.postgres_server import Endpoint

PASSWORD = "correct-horse-battery"


@pytest.fixture
def alice(node_database: Endpoint) -> Any:
    from api_world import person

    return person("alice")


@pytest.fixture
def browser(alice: Any) -> Any:
    from django.test import Client

    return Client(SERVER_NAME="localhost")


@pytest.fixture
def mail(alice: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[MailServer]:
    from django.conf import settings

    with mail_server() as server:
        monkeypatch.setattr(settings, "EMAIL_HOST", "127.0.0.1")
        monkeypatch.setattr(settings, "EMAIL_PORT", server.port)
        yield server


class TestTheLinkToAProject:
    def test_staff_see_it_in_the_admin(self, browser: Any, alice: Any) -> None:
        from api_world import person
        from qfc_node.core.models import Project

        project = Project.objects.create(name="My Survey", owner=alice)
        person("root", is_superuser=True, is_staff=True)
        link = "/a/Alice/my%20survey/"

        asked = browser.get(link)
        assert asked["Location"].startswith("/admin/login/?next=")
        page = {"username": "root", "password": PASSWORD, "next": link}
        answer = browser.post("/admin/login/", page, follow=True)

        assert answer.request["PATH_INFO"] == f"/admin/core/project/{project.pk}/change/"
        assert answer.status_code == 200
        assert browser.get("/a/alice/nothing/").status_code == 404

    def test_others_learn_nothing(self, browser: Any) -> None:
        assert browser.get("/a/alice/nothing/").status_code == 302


class TestANewPassword:
    def ask(self, browser: Any, email: str) -> Any:
        return browser.post("/accounts/password/reset/", {"email": email}, follow=True)

    def test_by_mail(self, browser: Any, mail: MailServer) -> None:
        from api_world import Speaker

        assert b"email" in browser.get("/accounts/password/reset/").content
        assert self.ask(browser, "ALICE@example.com").status_code == 200
        (message,) = mail.messages
        link = re.search(r"http://localhost(/accounts/password/reset/\S+)", message)
        assert link is not None
        for _ in range(6):
            Speaker().post("auth/login/", {"username": "alice", "password": "wrong"})
        form = browser.get(link[1], follow=True)
        words = {"new_password1": "another-horse-battery", "new_password2": "another-horse-battery"}
        done = browser.post(form.request["PATH_INFO"], words, follow=True)
        assert done.request["PATH_INFO"] == "/accounts/password/reset/complete/"
        login = Speaker().post("auth/login/", {"username": "alice", "password": "another-horse-battery"})
        assert login.status_code == 200, "wrong passwords lock nobody out any more"
        assert b"already been used" in browser.get(link[1], follow=True).content

    def test_an_address_is_asked_once_a_minute_and_strangers_never(self, browser: Any, mail: MailServer) -> None:
        from api_world import organization, person

        boss = person("boss")
        acme = organization("acme", boss)
        acme.email = "acme@example.com"
        acme.save()
        for email in ("alice@example.com", "alice@example.com", "nobody@example.com", "acme@example.com"):
            assert self.ask(browser, email).status_code == 200
        assert len(mail.messages) == 1

    def test_without_mail_the_page_says_whom_to_ask(self, browser: Any) -> None:
        page = browser.get("/accounts/password/reset/")
        assert (page.status_code, b"sends no e-mail" in page.content) == (200, True)


def test_there_is_no_address_to_confirm(node_database: Endpoint) -> None:
    from api_world import Speaker

    answer = Speaker().post("resend-confirmation/")
    assert (answer.status_code, answer.json()["code"]) == (400, "not_supported")
