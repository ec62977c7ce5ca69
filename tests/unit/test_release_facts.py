"""What is wrong in one release and right in another is told by the deployment's own files."""

from __future__ import annotations

import pytest

from checks_world import DRY, found, healthy, ids, the
from qfc.checks.worker_address import WORKER_URL
from qfc.stack.findings import Result
from qfc.stack.release_facts import ReleaseFacts, facts_of, refused_values
from qfc.stack.upgrade_stops import referenced
from queue_world import OFFICIAL, RELEASES, MemoryWorld
from twins import MemoryPorts
from twins.site import FOLDER

OF_2026 = ReleaseFacts(
    has_internal_http=True, allows_http=False, compares_port=False, has_timeout_in_env=True, refuses_empty=True
)
#: What the files of each time tell: internal http, compared ports, the limit in the environment, refused values.
TOLD = {
    "2024_09": (False, True, False, False),
    "2025_02": (False, True, False, False),
    "2025_11": (False, False, False, False),
    "2026_06": (False, False, False, True),
    "2026_08": (True, False, True, True),
}
FEEDBACK = {"error": "Worker timeout error.", "error_type": "TIMEOUT"}


def of(release: str, **changed: str) -> MemoryPorts:
    """Return a healthy deployment with the files of a release, and its `.env` with other values."""
    ports, _ = healthy("compose")
    site = ports.deployment.site
    site.env = (RELEASES / f"{release}.env").read_text().replace("QFIELDCLOUD_WORKER_REPLICAS=1", "")
    site.env = site.env.replace("=WEB_HTTPS\n", "=443\n").replace("=WEB_HTTP\n", "=80\n")
    for path in RELEASES.glob(f"{release}*.yml"):
        part = path.name.removeprefix(release).removesuffix(".yml").strip(".")
        name = f"docker-compose.override.{part}.yml" if part else "docker-compose.yml"
        ports.host.files[FOLDER / name] = (path.read_bytes(), 0o644)
    ports.deployment.settings.change({"QFIELDCLOUD_WORKER_REPLICAS": "2", **changed})
    return ports


def text_of(release: str) -> str:
    return "\n".join(path.read_text() for path in sorted(RELEASES.glob(f"{release}*.yml")))


def test_every_release_is_told() -> None:
    assert set(TOLD) == set(OFFICIAL)


@pytest.mark.parametrize("release", OFFICIAL)
def test_files_tell_what_holds_in_their_release(release: str) -> None:
    facts = facts_of(text_of(release))
    assert facts is not None
    told = (facts.has_internal_http, facts.compares_port, facts.has_timeout_in_env, facts.refuses_empty)
    assert told == TOLD[release]


def test_without_files_nothing_is_told() -> None:
    assert facts_of(" \n") is None


@pytest.mark.parametrize(
    ("release", "url", "allowed", "evidence"),
    [
        ("2026_08", "http://field.example.test/api/v1/", {"NGINX_ALLOW_INTERNAL_HTTP": "1"}, None),
        ("2026_08", "http://field.example.test/api/v1/", {}, "nginx redirects http to https"),
        ("2026_08", "http://nginx/api/v1/", {"NGINX_ALLOW_INTERNAL_HTTP": "1"}, "hangs up on the host name nginx"),
        ("2026_08", "http://nginx/api/v1/", {"NGINX_ALLOW_HTTP": "1"}, "hangs up on the host name nginx"),
        ("2025_11", "http://nginx/api/v1/", {"NGINX_ALLOW_HTTP": "1"}, "hangs up on the host name nginx"),
        ("2025_11", "https://nginx/api/v1/", {}, "hangs up on the host name nginx"),
        ("2025_11", "http://field.example.test/api/v1/", {"NGINX_ALLOW_INTERNAL_HTTP": "1"}, "redirects http"),
        ("2026_08", "https://field.example.test/api/v1/", {}, None),
    ],
)
def test_an_address_of_workers_by_http(release: str, url: str, allowed: dict[str, str], evidence: str | None) -> None:
    ports = of(release, **{WORKER_URL: url, **allowed})
    made = found(ports)
    if evidence is None:
        assert "B07" not in ids(made)
        return
    assert evidence in the(made, "B07").evidence
    assert the(found(ports, fix=True), "B07").result is Result.FIXED
    values = ports.deployment.settings.values()
    assert values[WORKER_URL] == "https://field.example.test/api/v1/"
    assert "NGINX_ALLOW_HTTP" not in values or values["NGINX_ALLOW_HTTP"] == allowed.get("NGINX_ALLOW_HTTP")


@pytest.mark.parametrize("release", OFFICIAL)
def test_a_proxy_on_another_port_is_wrong_only_where_ports_are_compared(release: str) -> None:
    ports = of(release, WEB_HTTPS_PORT="8443")
    ports.api.url = "https://field.example.test"
    assert ("B05" in ids(found(ports))) is TOLD[release][1]


def test_workers_get_the_address_of_clients_behind_a_proxy() -> None:
    ports = of("2026_08", WEB_HTTPS_PORT="8443", **{WORKER_URL: "http://app:8000/api/v1/"})
    ports.api.url = "https://field.example.test"
    assert the(found(ports, fix=True), "B06").result is Result.FIXED
    assert ports.deployment.settings.values()[WORKER_URL] == "https://field.example.test/api/v1/"


@pytest.mark.parametrize(
    ("release", "name", "value", "evidence"),
    [
        ("2026_08", "DEBUG", "", "DEBUG is empty, not 0 or 1."),
        ("2026_08", "QFIELDCLOUD_USE_I18N", "yes", "QFIELDCLOUD_USE_I18N is yes, not 0 or 1."),
        ("2026_08", "QFIELDCLOUD_AUTH_TOKEN_EXPIRATION_HOURS", "", "is empty, not a whole number."),
        ("2026_08", "QFIELDCLOUD_WORKER_TIMEOUT_S", "ten", "QFIELDCLOUD_WORKER_TIMEOUT_S is ten, not a whole number."),
        ("2026_08", "QFIELDCLOUD_WORKER_TIMEOUT_S", "", None),
        ("2026_08", "STORAGES", "", "STORAGES is empty."),
        ("2026_08", "DEBUG", "true", "DEBUG is true, not 0 or 1."),
        ("2026_08", "SOCIALACCOUNT_PROVIDERS", "[1]", "SOCIALACCOUNT_PROVIDERS is no JSON object."),
        ("2024_09", "DJANGO_USE_X_FORWARDED_HOST", "", None),
    ],
)
def test_a_value_that_ends_the_start_is_critical(release: str, name: str, value: str, evidence: str | None) -> None:
    made = found(of(release, **{name: value}))
    if evidence is None:
        assert "A12-values" not in ids(made)
        return
    assert evidence in the(made, "A12-values").evidence
    assert not made.ready


def test_a_line_that_is_missing_is_passed_on_as_empty() -> None:
    passed = referenced(text_of("2026_08"))
    assert set(refused_values({}, *passed)) >= {"DEBUG", "QFIELDCLOUD_USE_I18N", "STORAGES"}
    ports = of("2026_08")
    assert refused_values(ports.deployment.settings.values(), *passed) == {}


def test_the_time_limit_is_doubled_where_the_release_has_it() -> None:
    ports = of("2026_08", QFIELDCLOUD_WORKER_TIMEOUT_S="900")
    world = MemoryWorld(ports.jobs, ports.directory)
    world.job(world.project("big"), "failed", type="package", started=5, ended=4, feedback=FEEDBACK)
    planned = found(ports, fix=True, options=DRY)
    assert "QFIELDCLOUD_WORKER_TIMEOUT_S: 900 → 1800" in "".join(planned.steps)
    found(ports, fix=True)
    assert ports.deployment.settings.values()["QFIELDCLOUD_WORKER_TIMEOUT_S"] == "1800"


def test_the_files_of_v26_24_have_no_finding_about_the_release() -> None:
    assert facts_of(text_of("2026_08")) == OF_2026
    assert not {"A01", "A12", "A12-values", "B04", "B05", "B06", "B07", "C07"} & set(ids(found(of("2026_08"))))
