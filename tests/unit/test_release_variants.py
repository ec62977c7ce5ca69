"""Every check of `.env` and of the web says what is true in the release of the deployment's own files."""

from __future__ import annotations

import pytest

from checks_world import found, healthy, ids, the
from qfc.checks.worker_address import WORKER_URL
from qfc.operations.sync_diagnose import Diagnosis
from qfc.stack.findings import Result
from qfc.stack.model import ApiRequest, Vantage
from qfc.stack.release_facts import facts_of
from release_variants import HOST, VARIANTS, Variant
from twins import MemoryPorts
from twins.site import FOLDER

#: Checks whose answer depends on files of the release.
OF_RELEASES = {"A12", "A12-values", "A03", "B01", "B04", "B05", "B06", "B07", "D05-env", "E10", "C07"}
HTTP = f"http://{HOST}/api/v1/"


def of(variant: Variant, **changed: str) -> MemoryPorts:
    """Return a healthy deployment of a release."""
    ports, _ = healthy("compose")
    for name, text in variant.files().items():
        ports.host.files[FOLDER / name] = (text.encode(), 0o644)
    # The twin reads the number of workers in a simpler way than Compose does.
    ports.deployment.site.env = variant.env(**changed).replace("REPLICAS='2'", "REPLICAS=2")
    ports.api.url = f"https://{HOST}"
    if variant.has_accounts_login:
        ports.api.answers["/accounts/login/"] = ports.api.answers["/admin/login/"]
        ports.api.answers["/admin/login/"] = (302, b"")
        ports.api.headers = {
            "/admin/login/": {"location": "/accounts/login/?next="},
            "/accounts/login/?next=": {"set-cookie": "csrftoken=abc"},
        }
        ports.api.answers["/accounts/login/?next="] = ports.api.answers.pop("/accounts/login/")
    return ports


def told(made: Diagnosis) -> set[str]:
    return OF_RELEASES & set(ids(made))


def refusing(request: ApiRequest) -> tuple[int, bytes]:
    """Refuse every form."""
    return (403 if request.method == "POST" else 404), b""


@pytest.fixture(params=VARIANTS)
def variant(request: pytest.FixtureRequest) -> Variant:
    return VARIANTS[request.param]


def test_files_tell_what_holds(variant: Variant) -> None:
    facts = facts_of("\n".join(variant.files().values()))
    assert facts is not None
    assert facts.compares_port is variant.compares_port
    assert facts.has_internal_http is variant.has_internal_http
    assert facts.refuses_empty is variant.are_flags_strict
    assert facts.has_timeout_in_env is variant.has_timeout_in_env
    assert not facts.allows_http


def test_a_healthy_deployment_has_no_finding(variant: Variant) -> None:
    assert told(found(of(variant))) == set()


def test_a_proxy_on_443_before_another_port(variant: Variant) -> None:
    made = found(of(variant, WEB_HTTPS_PORT="8443"))
    assert told(made) == ({"B05"} if variant.compares_port else set())


def test_workers_past_nginx_get_the_address_of_clients(variant: Variant) -> None:
    ports = of(variant, WEB_HTTPS_PORT="8443", **{WORKER_URL: "http://app:8000/api/v1/"})
    assert the(found(ports, fix=True), "B06").result is Result.FIXED
    assert ports.deployment.settings.values()[WORKER_URL] == f"https://{HOST}/api/v1/"


@pytest.mark.parametrize("variable", ["NGINX_ALLOW_HTTP", "NGINX_ALLOW_INTERNAL_HTTP"])
def test_the_name_nginx_leads_nowhere(variant: Variant, variable: str) -> None:
    ports = of(variant, **{WORKER_URL: "http://nginx/api/v1/", variable: "1"})
    assert "hangs up on the host name nginx" in the(found(ports), "B07").evidence
    found(ports, fix=True)
    values = ports.deployment.settings.values()
    assert values[WORKER_URL] == f"https://{HOST}/api/v1/"
    assert values[variable] == "1"


def test_http_by_the_servers_name_works_only_with_the_variable_of_the_release(variant: Variant) -> None:
    is_right = found(of(variant, **{WORKER_URL: HTTP, "NGINX_ALLOW_INTERNAL_HTTP": "1"}))
    is_wrong = found(of(variant, **{WORKER_URL: HTTP, "NGINX_ALLOW_HTTP": "1"}))
    without = found(of(variant, **{WORKER_URL: HTTP}))
    assert ("B07" in ids(is_right)) is not variant.has_internal_http
    assert "B07" in ids(is_wrong)
    assert "nginx redirects http to https" in the(without, "B07").evidence


def test_a_variable_that_the_release_does_not_read_is_named(variant: Variant) -> None:
    changed = {
        "NGINX_ALLOW_INTERNAL_HTTP": "1",
        "QFIELDCLOUD_WORKER_TIMEOUT_S": "900",
        "WORKER_QGIS_MEMORY_LIMIT": "2g",
    }
    evidence = the(found(of(variant, **changed)), "D05-env").evidence
    assert "WORKER_QGIS_MEMORY_LIMIT (use the admin, under Config)" in evidence
    assert ("NGINX_ALLOW_INTERNAL_HTTP" in evidence) is not variant.has_internal_http
    assert ("QFIELDCLOUD_WORKER_TIMEOUT_S" in evidence) is not variant.has_timeout_in_env


@pytest.mark.parametrize(
    ("networks", "address", "evidence"),
    [
        (("172.18.0.0/16",), None, None),
        (("10.5.0.0/24",), HTTP, "nginx takes http only from 172.16.0.0/12, but memory_default has 10.5.0.0/24."),
        (("192.168.96.0/20", "fd00::/64"), HTTP, "has 192.168.96.0/20, fd00::/64."),
        (("172.18.0.0/16",), HTTP, f"The name {HOST} must lead to nginx itself, by a network alias of its service."),
    ],
)
def test_networks_that_nginx_redirects(networks: tuple[str, ...], address: str | None, evidence: str | None) -> None:
    ports = of(VARIANTS["v26.25"], **{WORKER_URL: HTTP, "NGINX_ALLOW_INTERNAL_HTTP": "1"})
    inspection = ports.deployment.inspection
    inspection.engine.ranges = networks
    inspection.network.redirecting = frozenset({f"{address}status/"} if address else ())
    made = found(ports)
    if evidence is None:
        assert "B07" not in ids(made)
        return
    assert evidence in the(made, "B07").evidence
    assert the(found(ports, fix=True), "B07").result is Result.FIXED


def test_a_template_with_other_networks_is_read() -> None:
    files = VARIANTS["v26.25"].files()
    facts = facts_of("\n".join(files.values()).replace("172.16.0.0/12  1;", "172.16.0.0/12  1;\n    10.0.0.0/8 1;"))
    assert facts is not None
    assert facts.internal_networks == ("172.16.0.0/12", "10.0.0.0/8")


def test_a_server_that_does_not_answer_workers_by_http() -> None:
    ports = of(VARIANTS["v26.25"], **{WORKER_URL: HTTP, "NGINX_ALLOW_INTERNAL_HTTP": "1"})
    ports.deployment.inspection.network.unreached[Vantage.APP, f"{HTTP}status/"] = "Empty reply from server"
    assert "fails (Empty reply from server)" in the(found(ports), "B07").evidence


@pytest.mark.parametrize("name", ["DEBUG", "QFIELDCLOUD_USE_I18N", "QFIELDCLOUD_PASSWORD_LOGIN_IS_ENABLED"])
@pytest.mark.parametrize("value", ["", "2", "yes", "true"])
def test_flags_that_end_the_start(variant: Variant, name: str, value: str) -> None:
    """Before v26.4 they were numbers: 2 was one, and an empty value ended the start as well."""
    made = found(of(variant, **{name: value}))
    assert ("A12-values" in ids(made)) is (variant.are_flags_strict or value != "2")


@pytest.mark.parametrize("value", ["", "a day", "7.5"])
def test_numbers_that_end_the_start(variant: Variant, value: str) -> None:
    made = found(of(variant, QFIELDCLOUD_AUTH_TOKEN_EXPIRATION_HOURS=value))
    assert "QFIELDCLOUD_AUTH_TOKEN_EXPIRATION_HOURS is" in the(made, "A12-values").evidence


@pytest.mark.parametrize(
    ("dsn", "rate", "is_wrong"), [("https://s", "", True), ("https://s", "0.5", False), ("", "", False)]
)
def test_the_rate_of_reports_matters_only_with_reports(dsn: str, rate: str, is_wrong: bool) -> None:
    made = found(of(VARIANTS["v26.8"], SENTRY_DSN=dsn, SENTRY_SAMPLE_RATE=rate))
    assert ("A12-values" in ids(made)) is is_wrong


def test_a_limit_that_is_empty_ends_the_start_where_it_is_passed_on() -> None:
    made = found(of(VARIANTS["v26.25"], QFIELDCLOUD_WORKER_TIMEOUT_S=""))
    assert "QFIELDCLOUD_WORKER_TIMEOUT_S is empty" in the(made, "A12-values").evidence


def test_without_a_database_the_application_cannot_start(variant: Variant) -> None:
    assert "POSTGRES_HOST is empty" in the(found(of(variant, POSTGRES_HOST="")), "A12-values").evidence


def test_a_store_in_the_old_form_is_no_empty_one() -> None:
    old = of(VARIANTS["v26.4"], STORAGES="", STORAGE_ACCESS_KEY_ID="key")
    assert "A12-values" not in ids(found(old))
    assert "STORAGES is empty" in the(found(of(VARIANTS["v26.4"], STORAGES="")), "A12-values").evidence


def test_pages_are_looked_at_behind_the_redirects_of_the_release(variant: Variant) -> None:
    ports = of(variant)
    page = "/accounts/login/?next=" if variant.has_accounts_login else "/admin/login/"
    ports.api.handler = refusing
    ports.api.answers["/staticfiles/admin/css/base.css"] = (404, b"")
    made = found(ports)
    assert f"The form of {page}" in the(made, "B01").evidence
    assert "base.css answered 404" in the(made, "A03").evidence


def test_a_page_that_cannot_be_looked_at_is_unknown(variant: Variant) -> None:
    ports = of(variant)
    ports.api.answers["/admin/login/"] = (302, b"")
    ports.api.headers["/admin/login/"] = {"location": "https://elsewhere.example/"}
    made = found(ports)
    assert {the(made, id).result for id in ("A03", "B01")} == {Result.SKIPPED}
