"""The login page is found where a release and a deployment have it; a page that cannot be seen is unknown."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from checks_world import found, healthy, the
from qfc.stack.findings import Result
from qfc.stack.model import ApiRequest
from recorded import recorded
from twins import MemoryPorts

SHEET = "/staticfiles/admin/css/base.css"


def of_2026(admin: str = "admin/") -> MemoryPorts:
    """Return a deployment with the pages of a running v26.24."""
    ports, _ = healthy("compose")
    del ports.api.answers["/admin/login/"]
    for path, page in recorded("2026_08")["pages"].items():
        place = path.replace("/admin/", f"/{admin}", 1)
        sheets = "".join(f'<link rel="stylesheet" href="{one}">' for one in page.get("sheets", ()))
        fields = "".join(f'<input name="{one}">' for one in page.get("fields", ()))
        ports.api.answers[place] = (page["status"], f"<html>{sheets}<form>{fields}</form></html>".encode())
        if page.get("is_json_to_programs"):
            ports.api.to_programs[place] = (page["status"], b'{"form": {}, "html": "..."}')
        ports.api.headers[place] = {name: page[name] for name in ("location", "set-cookie") if name in page}
    ports.api.answers["/accounts/login/?next="] = ports.api.answers["/accounts/login/"]
    ports.api.to_programs["/accounts/login/?next="] = ports.api.to_programs["/accounts/login/"]
    ports.api.headers["/accounts/login/?next="] = ports.api.headers["/accounts/login/"]
    return ports


def results(ports: MemoryPorts, ids: Sequence[str] = ("A03", "B01")) -> dict[str, Result]:
    return {one.id: one.result for one in found(ports).findings if one.id in ids}


@pytest.mark.parametrize("admin", ["admin/", "secret-door/"])
def test_the_pages_of_v26_24_are_followed_to_the_login(admin: str) -> None:
    ports = of_2026(admin)
    sent: list[ApiRequest] = []
    ports.api.handler = lambda request: (sent.append(request), (200, b""))[1]
    ports.deployment.site.env += f"QFIELDCLOUD_ADMIN_URI={admin}\n"
    assert results(ports) == {}
    (form,) = [one for one in sent if one.method == "POST"]
    assert (form.path, form.headers["Cookie"]) == ("/accounts/login/?next=", "csrftoken=abc")
    assert form.headers["Referer"] == "http://memory/accounts/login/?next="


def test_a_refused_form_of_v26_24_is_found() -> None:
    ports = of_2026()
    ports.api.handler = lambda request: (403 if request.method == "POST" else 404, b"")
    assert "The form of /accounts/login/?next=, sent from http://memory" in the(found(ports), "B01").evidence


def test_static_files_that_are_gone_are_found_though_the_login_fails_with_them() -> None:
    ports = of_2026()
    for path in ("/accounts/login/", "/accounts/login/?next="):
        ports.api.answers[path] = (500, b"<html>")
    del ports.api.answers[SHEET]
    assert the(found(ports), "A03").evidence == f"{SHEET} answered 404."
    assert results(ports)["B01"] is Result.SKIPPED


@pytest.mark.parametrize(
    ("status", "location", "evidence"),
    [
        (302, "/admin/login/", "The redirects of /admin/login/ do not end."),
        (302, "https://elsewhere.example.org/login", "/admin/login/ leads to another server: elsewhere.example.org."),
        (503, "", "/admin/login/ answered 503."),
    ],
)
def test_what_could_not_be_looked_at_is_unknown(status: int, location: str, evidence: str) -> None:
    ports = of_2026()
    ports.api.answers["/admin/login/"] = (status, b"")
    ports.api.headers["/admin/login/"] = {"location": location} if location else {}
    made = found(ports)
    assert [(the(made, id).result, the(made, id).evidence) for id in ("A03", "B01")] == [(Result.SKIPPED, evidence)] * 2
