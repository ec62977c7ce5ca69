"""Problems of every default server: uploads of workers by http, empty keys, one address for all wrong logins."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from checks_world import answering, found, healthy, ids, the
from qfc.stack.findings import Result
from qfc.stack.model import Vantage
from qfc.stack.nginx_text import body_limit
from repair_world import NGINX_OF_V26, certificate, empty_keys, small_uploads
from twins import MemoryPorts
from twins.site import FOLDER

URL = "QFIELDCLOUD_WORKER_QFIELDCLOUD_URL"
MIB, GIB = 1024**2, 1024**3


def test_each_server_of_nginx_has_its_size() -> None:
    assert body_limit(NGINX_OF_V26, 80) == MIB
    assert body_limit(NGINX_OF_V26, 443) == 10 * GIB
    assert body_limit(NGINX_OF_V26, 8080) is None


@pytest.mark.parametrize(
    ("text", "limit"),
    [
        ("http { client_max_body_size 5m; server { listen 80; } }", 5 * MIB),
        # A file of its own in conf.d, which `http` includes.
        (
            "http { include x; }\n# configuration file x:\nclient_max_body_size 10g;\nserver { listen [::]:80; }",
            10 * GIB,
        ),
        ("http { server { listen 80; location /a { client_max_body_size 9g; } } }", MIB),
        ("http { server { listen 0.0.0.0:80; client_max_body_size '20M'; } }", 20 * MIB),
        ("http { server { listen 80; client_max_body_size 0; } }", 0),
        ("http { server { listen 80; } server { listen 80; client_max_body_size 0; } }", MIB),
        (
            "http { # server { listen 80; }\n server { server_name a; listen unix:/run/a; client_max_body_size 7k; } }",
            7168,
        ),
    ],
)
def test_sizes_are_inherited_and_overridden_as_nginx_does(text: str, limit: int) -> None:
    assert body_limit(text, 80) == limit


def test_workers_by_http_get_413_for_large_files() -> None:
    ports, world = healthy("compose")
    small_uploads(ports, world)
    made = found(ports, fix=True)
    assert "takes at most 1 MB" in the(made, "B13-workers").evidence
    assert the(made, "B13-workers").result is Result.FIXED
    assert ports.deployment.settings.values()[URL] == "https://memory/api/v1/"


@pytest.mark.parametrize("text", ["client_max_body_size 10g;\n", "client_max_body_size 0;\n"])
def test_an_nginx_that_takes_as_much_by_http_is_right(text: str) -> None:
    ports, world = healthy("compose")
    small_uploads(ports, world)
    answering(ports, "nginx", lambda *_: text + NGINX_OF_V26)
    assert "B13-workers" not in ids(found(ports))


@pytest.mark.parametrize("status", [302, 502])
def test_an_address_that_jobs_cannot_use_is_not_given_to_them(status: int) -> None:
    ports, world = healthy("compose")
    small_uploads(ports, world)
    ports.deployment.inspection.network.answers["https://memory/api/v1/status/"] = status
    assert the(found(ports, fix=True), "B13-workers").result in (Result.FOUND, Result.FAILED)
    assert ports.deployment.settings.values()[URL] == "http://memory/api/v1/"


def test_an_empty_key_is_replaced_while_it_has_encrypted_nothing() -> None:
    ports, world = healthy("compose")
    empty_keys(ports, world)
    made = the(found(ports, fix=True), "A10-empty")
    values = ports.deployment.settings.values()
    assert (made.evidence, made.result) == ("Empty: SECRET_KEY.", Result.FIXED)
    assert len(values["SECRET_KEY"]) == 64
    assert values["SALT_KEY"] == "a-salt-of-our-own"


def test_a_key_that_has_encrypted_secrets_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    ports, world = healthy("compose")
    empty_keys(ports, world)
    monkeypatch.setattr(ports.conditions.server, "oldest_secret", lambda: datetime(2026, 1, 1, tzinfo=UTC))
    assert the(found(ports, fix=True), "A10-empty").result in (Result.FOUND, Result.FAILED)
    assert ports.deployment.settings.values()["SECRET_KEY"] == ""


def test_a_key_that_no_file_passes_on_does_not_matter() -> None:
    ports, world = healthy("compose")
    empty_keys(ports, world)
    ports.host.files[FOLDER / "docker-compose.yml"] = (b"services: {app: {image: x}}", 0o644)
    assert "A10-empty" not in ids(found(ports))


@pytest.mark.parametrize(
    ("addresses", "is_found"),
    [
        (None, False),
        ((), False),
        (("172.18.0.9",), True),
        (("172.18.0.9", "203.0.113.7"), False),
        (("192.168.1.4",), False),
    ],
)
def test_wrong_logins_that_all_come_from_nginx(addresses: tuple[str, ...] | None, is_found: bool) -> None:
    ports, _ = healthy("compose")
    ports.conditions.accounts.addresses = addresses
    assert ("G09-address" in ids(found(ports))) is is_found


def http_workers(ports: MemoryPorts) -> None:
    """Let workers use http as v26.8 and later allow it; nothing answers there."""
    url = "http://memory/api/v1/status/"
    ports.deployment.inspection.network.unreached[Vantage.APP, url] = "Could not resolve host: memory"


def test_an_nginx_that_is_stopped_does_not_make_the_address_of_workers_wrong() -> None:
    """Seen on a real v26.25: its name goes with it, and the repair wrote an address that no job could use."""
    ports, world = healthy("compose")
    small_uploads(ports, world)
    http_workers(ports)
    assert "B07" in ids(found(ports))
    ports.runtime.stop(["nginx"])
    assert "B07" not in ids(found(ports))


@pytest.mark.parametrize(("status", "trusted"), [(302, True), (502, True), (200, False)])
def test_an_address_of_workers_is_not_replaced_by_one_that_they_cannot_use(status: int, trusted: bool) -> None:
    ports, world = healthy("compose")
    small_uploads(ports, world)
    http_workers(ports)
    ports.deployment.inspection.network.answers["https://memory/api/v1/status/"] = status
    ports.deployment.certificates.given = certificate(ports, trusted=trusted)
    made = found(ports, fix=True)
    assert "Could not resolve host" in the(made, "B07").evidence
    assert the(made, "B07").result in (Result.FOUND, Result.FAILED)
    assert ports.deployment.settings.values()[URL] == "http://memory/api/v1/"
