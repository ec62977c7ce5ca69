"""Logs, web, certificates, settings, releases: each fault is created, found with its evidence, repaired if possible."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from email.utils import format_datetime
from pathlib import PurePath

import pytest

from checks_world import DRY, ENV, VALUES, found, healthy, ids, the
from known_lines import WRITTEN
from qfc.checks.settings import SETTINGS
from qfc.checks.worker_address import WORKER_URL
from qfc.errors import CommandError, UnknownNameError, UntrustedError
from qfc.operations.guard import Options
from qfc.operations.health import health
from qfc.stack.findings import Result, Severity
from qfc.stack.model import ApiAnswer, ApiRequest, Certificate, LogLine, Revision, Tunnel
from qfc.stack.rollout import DeployState, Record, as_document
from twins import MemoryPorts
from twins.deployment import MemoryTunnels
from twins.records import MemoryApi
from twins.site import FOLDER

#: Lines of real services, by the check that recognises them.


def wrote(ports: MemoryPorts, service: str, text: str, *, minutes_ago: float = 0) -> None:
    at = ports.clock.now() - timedelta(minutes=minutes_ago)
    ports.runtime.lines.append(LogLine(service, f"{service}-1", at, "ERROR", text))


@pytest.mark.parametrize("id", WRITTEN)
def test_a_line_in_a_log_that_is_known_is_found_and_nothing_else_by_it(id: str) -> None:
    ports, _ = healthy("compose")
    service, text = WRITTEN[id]
    wrote(ports, service, text)
    made = found(ports)
    assert ids(made) == [id]
    assert f"{service} logged 1 such line, " in the(made, id).evidence


def test_a_stopped_application_is_no_fault_of_the_store() -> None:
    ports, _ = healthy("compose")
    wrote(ports, "nginx", "2026/11/29 22:11:46 [error] 23#23: app could not be resolved (110: Operation timed out)")
    assert found(ports).findings == ()


def test_what_was_written_before_the_service_was_started_anew_is_no_finding() -> None:
    ports, _ = healthy("compose")
    wrote(ports, "app", WRITTEN["C07-log"][1], minutes_ago=5)
    assert found(ports).findings == ()


@pytest.mark.parametrize(
    ("id", "env", "changed"),
    [
        ("B13", "NGINX_CLIENT_MAX_BODY_SIZE=50m", {"NGINX_CLIENT_MAX_BODY_SIZE": "10g"}),
        ("B14", "", {"GUNICORN_TIMEOUT_S": "600"}),
        (
            "B14",
            "GUNICORN_TIMEOUT_S=2000\nNGINX_PROXY_READ_TIMEOUT=300s",
            {"GUNICORN_TIMEOUT_S": "3600", "NGINX_PROXY_READ_TIMEOUT": "600s"},
        ),
    ],
)
def test_a_limit_that_a_log_tells_of_is_raised_after_a_question(id: str, env: str, changed: dict[str, str]) -> None:
    ports, _ = healthy("compose")
    ports.deployment.site.env += f"{env}\n"
    wrote(ports, *WRITTEN[id])
    questions: list[str] = []
    found(ports, fix=True, options=Options(ask=lambda question: questions.append(question) is None))
    values = ports.deployment.settings.values()
    assert {name: values[name] for name in changed} == changed
    assert all(value in questions[0] for value in changed.values())


@pytest.mark.parametrize("env", ["", "NGINX_CLIENT_MAX_BODY_SIZE=20g", "NGINX_CLIENT_MAX_BODY_SIZE=0"])
def test_nobody_is_asked_about_a_limit_that_is_somewhere_else(env: str) -> None:
    ports, _ = healthy("compose")
    ports.deployment.site.env += f"{env}\n"
    wrote(ports, *WRITTEN["B13"])
    made = found(ports, fix=True, options=Options(ask=lambda question: pytest.fail(question)))
    assert the(made, "B13").result is Result.FOUND


def test_what_is_left_of_a_lost_log_is_kept_by_the_job() -> None:
    ports, world = healthy("compose")
    error = {"error": "[QFC/Worker/1001] Failed to read logs."}
    job = world.job(world.project("survey"), "failed", made=3, started=0, ended=0, feedback=error)
    others = world.job(world.project("other"), "failed", made=3, started=0, ended=0, feedback={"error": "x"})
    wrote(ports, "worker_wrapper", "password=hunter2 begins with a-b-c")
    wrote(ports, "worker_wrapper", WRITTEN["D15-log"][1])
    wrote(ports, "worker_wrapper", "after it had ended", minutes_ago=-1)
    assert job[:8] in the(found(ports), "D15-log").evidence
    assert the(found(ports, fix=True), "D15-log").result is Result.FIXED
    kept = ports.records.read_text(f"job-logs/{job}.log") or ""
    assert "[QFC/Worker/1001]" in kept
    assert "begins" in kept
    assert not any(word in kept for word in ("hunter2", "a-b-c", "after it had ended"))
    assert ports.records.read_text(f"job-logs/{others}.log") is None
    assert "D15-log" not in ids(found(ports))


def test_many_failed_requests() -> None:
    ports, _ = healthy("compose")
    for _number in range(19):
        wrote(ports, "nginx", "GET 502 /api/v1/projects/ 0.1 s")
    assert found(ports).findings == ()
    wrote(ports, "nginx", "GET 502 /api/v1/projects/ 0.1 s")
    assert "20 of the last 20 requests" in the(found(ports), "B15").evidence


LOGIN = b'<link rel="stylesheet" href="/staticfiles/admin/css/base.0a1.css"><form method="post">'


def with_admin(ports: MemoryPorts) -> list[ApiRequest]:
    """Give the server an admin's form and a style sheet; return the submitted form."""
    sent: list[ApiRequest] = []
    ports.api.answers["/admin/login/"] = (200, LOGIN)
    ports.api.answers["/staticfiles/admin/css/base.0a1.css"] = (200, b"")
    ports.api.headers["/admin/login/"] = {"set-cookie": "csrftoken=abc; Path=/; SameSite=Lax"}

    def answer(request: ApiRequest) -> tuple[int, bytes]:
        sent.append(request)
        return 200, b""

    ports.api.handler = answer
    return sent


def test_a_form_is_sent_back_as_a_browser_does_and_refused_ones_are_found() -> None:
    ports, _ = healthy("compose")
    (sent,) = [with_admin(ports)]
    assert found(ports).findings == ()
    assert sent[-1].headers["Cookie"] == "csrftoken=abc"
    assert (sent[-1].method, sent[-1].headers["X-CSRFToken"], sent[-1].headers["Origin"]) == (
        "POST",
        "abc",
        "http://memory",
    )
    ports.api.handler = lambda _: (403, b"Origin checking failed")
    assert "http://memory, was answered 403" in the(found(ports), "B01").evidence


def test_missing_style_sheets_are_collected() -> None:
    ports, _ = healthy("compose")
    with_admin(ports)
    del ports.api.answers["/staticfiles/admin/css/base.0a1.css"]

    def missing(request: ApiRequest) -> tuple[int, bytes]:
        return 404 if request.method == "GET" else 200, b""

    ports.api.handler = missing

    def collect(service: str, argv: object, stdin: bytes) -> str:
        assert (service, argv) == ("app", ["collectstatic", "--noinput"])
        ports.api.answers["/staticfiles/admin/css/base.0a1.css"] = (200, b"")
        return ""

    ports.runtime.execute_with = collect
    assert "/staticfiles/admin/css/base.0a1.css answered 404." in the(found(ports), "A03").evidence
    assert the(found(ports, fix=True), "A03").result is Result.FIXED


@pytest.mark.parametrize(
    ("answer", "evidence"),
    [
        ((404, b"{}"), "answered 404"),
        ((200, b"{}"), "did not answer with a list"),
        ((200, b'[{"id": "oidc"}]'), "name and password"),
    ],
)
def test_ways_to_log_in_that_clients_cannot_use(answer: tuple[int, bytes], evidence: str) -> None:
    ports, _ = healthy()
    ports.api.answers["/api/v1/auth/providers/"] = answer
    assert evidence in the(found(ports), "G01").evidence


def test_a_server_that_does_not_know_what_clients_ask_for() -> None:
    ports, _ = healthy()
    ports.api.answers["/api/v1/projects/"] = (405, b"")
    assert "/api/v1/projects/ 405" in the(found(ports), "G12").evidence


def leg(status: int) -> MemoryApi:
    return MemoryApi({}, lambda _: (status, b"{}"))


@pytest.mark.parametrize(
    ("legs", "evidence"),
    [
        ({"public": 200, "nginx": 200, "app": 200}, None),
        ({"public": 444, "nginx": 200, "app": 200}, "By public: it answered 444."),
        ({"public": 502, "nginx": 502, "app": 200}, "By public: it answered 502. By nginx: it answered 502."),
        ({"public": 502, "app": 502}, None),
        ({"public": 502}, None),
    ],
)
def test_what_answers_inside_and_not_outside(legs: Mapping[str, int], evidence: str | None) -> None:
    ports, _ = healthy("compose")
    ports.deployment.routes = {name: leg(status) for name, status in legs.items()}
    said = [one.evidence for one in found(ports).findings if one.id == "B03-door"]
    assert said == ([evidence] if evidence else [])


def test_a_certificate_that_is_not_trusted_is_judged_by_the_checks_of_certificates_alone() -> None:
    ports, _ = healthy("compose")

    def untrusted(_: object) -> tuple[int, bytes]:
        raise UntrustedError("The certificate of https://field.example.org is not trusted.")

    ports.deployment.routes = {"public": MemoryApi({}, untrusted), "nginx": leg(200), "app": leg(200)}
    assert "B03-door" not in ids(found(ports))
    leg_of_clients = next(one for one in health(ports, thorough=True).checks if one.id == "leg public")
    assert leg_of_clients.severity is Severity.WARNING


def test_a_deployment_without_nginx() -> None:
    ports, _ = healthy("compose")
    del ports.runtime._wanted["nginx"]  # pyright: ignore[reportPrivateUsage]
    assert "nginx" in the(found(ports), "B08").evidence


def test_a_public_port_is_judged_only_where_the_release_can_be_told() -> None:
    ports, _ = healthy("compose")
    ports.deployment.site.env += "WEB_HTTPS_PORT=8443\n"
    ports.api.url = "https://memory"
    assert the(found(ports), "B05").result is Result.SKIPPED


def test_a_public_port_that_is_not_the_one_of_the_settings() -> None:
    ports, _ = healthy("compose")
    ports.deployment.site.env += "WEB_HTTPS_PORT=8443\n"
    ports.api.url = "https://memory:8443"
    ports.host.files[FOLDER / "docker-compose.yml"] = (b"services:\n  geodb:\n    image: postgis\n", 0o644)
    assert "B05" not in ids(found(ports))
    ports.api.url = "https://memory"
    assert "Clients use port 443, but WEB_HTTPS_PORT is 8443" in the(found(ports), "B05").evidence


def test_a_clock_that_is_wrong() -> None:
    ports, _ = healthy()
    now = ports.clock.now()
    ports.api.headers["/api/v1/status/"] = {"date": format_datetime(now + timedelta(seconds=2), usegmt=True)}
    assert found(ports).findings == ()
    ports.api.headers["/api/v1/status/"] = {"date": format_datetime(now - timedelta(seconds=90), usegmt=True)}
    assert "90 s behind" in the(found(ports), "clock-server").evidence


def certificate(ports: MemoryPorts, **more: object) -> Certificate:
    now = ports.clock.now()
    before, after = now - timedelta(days=9), now + timedelta(days=80)
    good = Certificate("CN=memory", ("memory",), "CN=Authority", "01", before, after, "aa", chain=2, trusted=True)
    return replace(good, **more)  # pyright: ignore[reportArgumentType]


def serving(ports: MemoryPorts, **more: object) -> None:
    ports.api.url = "https://memory"
    ports.deployment.certificates.given = certificate(ports, **more)


CERTIFICATES: Mapping[str, tuple[Callable[[MemoryPorts], object], str]] = {
    "B09-expired": (
        lambda ports: serving(ports, not_after=ports.clock.now() - timedelta(days=2)),
        "expired 2 days ago",
    ),
    "B10-soon": (lambda ports: serving(ports, not_after=ports.clock.now() + timedelta(days=5)), "in 5 days"),
    "B18-name": (lambda ports: serving(ports, names=("other.example.org",)), "for other.example.org, not for memory"),
    "B09": (lambda ports: serving(ports, issuer="CN=memory", subject="CN=memory"), "self-signed"),
}


def test_a_good_certificate_is_no_finding() -> None:
    ports, _ = healthy("compose")
    serving(ports)
    assert found(ports).findings == ()


@pytest.mark.parametrize("id", CERTIFICATES)
def test_a_certificate_that_makes_trouble(id: str) -> None:
    ports, _ = healthy("compose")
    make, evidence = CERTIFICATES[id]
    make(ports)
    assert evidence in the(found(ports), id).evidence


@pytest.mark.parametrize(
    ("id", "more", "evidence"),
    [
        ("B09", {"issuer": "O=mkcert development CA"}, "from mkcert"),
        ("B09-chain", {"chain": 1}, "has no chain"),
        ("B09-untrusted", {"trusted": False, "problem": "unable to get local issuer"}, "unable to get local issuer"),
    ],
)
def test_a_certificate_that_devices_do_not_trust(id: str, more: Mapping[str, object], evidence: str) -> None:
    ports, _ = healthy("compose")
    serving(ports, **more)
    assert evidence in the(found(ports), id).evidence


def test_a_renewed_certificate_is_served_after_the_repair() -> None:
    ports, _ = healthy("compose")
    serving(ports)
    ports.deployment.certificates.file = certificate(ports, fingerprint="bb", serial="02")
    assert "nginx serves serial 01" in the(found(ports), "B10").evidence
    assert the(found(ports, fix=True), "B10").result is Result.FIXED
    assert found(ports).findings == ()


def test_a_key_that_is_another_ones() -> None:
    ports, _ = healthy("compose")
    serving(ports)
    ports.deployment.certificates.fits = False
    assert "/memory/certificate.pem" in the(found(ports), "B18-key").evidence


def test_without_nginx_no_certificate_is_missing() -> None:
    ports, _ = healthy("compose")
    serving(ports)
    ports.deployment.certificates.missing = True
    del ports.runtime._wanted["nginx"], ports.runtime._running["nginx"]  # pyright: ignore[reportPrivateUsage]
    assert "B18" not in ids(found(ports))


def test_a_certificate_that_is_missing_is_made() -> None:
    ports, _ = healthy("compose")
    serving(ports)
    ports.deployment.certificates.missing = True
    assert "There is no /memory/certificate.pem" in the(found(ports), "B18").evidence
    assert the(found(ports, fix=True), "B18").result is Result.FIXED
    assert found(ports).findings == ()


@pytest.mark.parametrize("id", [check.id for check in SETTINGS if check.auto != "no"])
def test_a_setting_is_mended_after_its_difference_was_shown_and_a_copy_is_kept(id: str) -> None:
    ports, _ = healthy("compose")
    lines, _evidence = VALUES[id]
    names = [line.partition("=")[0] for line in lines.splitlines()]
    kept = [line for line in ENV.splitlines() if line.partition("=")[0] not in names]
    site = ports.deployment.site
    site.env = broken = "\n".join([*kept, *lines.splitlines()]) + "\n"
    asked: list[str] = []

    def ask(question: str) -> bool:
        asked.append(question)
        return True

    planned = found(ports, fix=True, options=DRY)
    assert " → " in "".join(planned.steps)
    assert site.env == broken
    made = found(ports, fix=True, options=Options(ask=ask))
    assert the(made, id).result is Result.FIXED
    assert site.env_before == broken
    assert id not in ids(found(ports))
    if the(made, id).auto == "ask":
        assert " → " in asked[0]


def test_lines_of_several_checks_are_changed_at_once_and_services_made_anew_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ports, _ = healthy("compose")
    site, made_anew = ports.deployment.site, list[Sequence[str] | None]()
    lines = {
        "QFIELDCLOUD_HOST": "https://Field.example.org",
        WORKER_URL: "http://app:8000/api/v1/",
        "EMAIL_USE_TLS": "1",
    }
    site.env = broken = site.env + "".join(f"{name}={value}\n" for name, value in lines.items())
    monkeypatch.setattr(type(ports.runtime), "recreate", lambda _, names: made_anew.append(names))
    made = found(ports, fix=True)
    fixed = {one.id for one in made.findings if one.result is Result.FIXED}
    assert {"B03", "B06", "H06-tls"} <= fixed
    assert ports.deployment.settings.values()[WORKER_URL] == "https://field.example.org/api/v1/"
    assert site.env_before == broken
    assert made_anew == [None]


def test_a_comment_in_a_secret_is_taken_out_and_the_secret_is_not_shown() -> None:
    ports, _ = healthy("compose")
    ports.deployment.site.env += 'POSTGRES_PASSWORD="hunter2 # changed in May"\n'
    planned = found(ports, fix=True, options=DRY)
    assert "POSTGRES_PASSWORD: [hidden] → [hidden]" in "".join(planned.steps)
    assert "hunter2" not in str(planned)
    found(ports, fix=True)
    assert ports.deployment.settings.values()["POSTGRES_PASSWORD"] == "hunter2"


def test_a_lost_log_of_which_nothing_is_left_is_only_told() -> None:
    ports, _ = healthy("compose")
    wrote(ports, *WRITTEN["D15-log"])
    assert the(found(ports, fix=True), "D15-log").result is Result.FOUND


def file(ports: MemoryPorts, name: str, text: str) -> None:
    ports.host.files[PurePath(FOLDER / name)] = (text.encode(), 0o644)


def test_variables_that_the_release_wants_are_added_and_secrets_made_up() -> None:
    ports, _ = healthy("compose")
    file(
        ports, "docker-compose.yml", "services:\n  app:\n    environment:\n      A: ${SALT_KEY}\n      B: ${NEW_ONE}\n"
    )
    file(ports, ".env.example", "# comment\nSALT_KEY=0123456789\nNEW_ONE='seven'\n")
    assert the(found(ports), "A12").evidence == "Not set: NEW_ONE, SALT_KEY."
    planned = found(ports, fix=True, options=DRY)
    assert "NEW_ONE: not set → seven; SALT_KEY: not set → (random)" in "".join(planned.steps)
    assert the(found(ports, fix=True), "A12").result is Result.FIXED
    values = ports.deployment.settings.values()
    assert values["NEW_ONE"] == "seven"
    assert (values["SALT_KEY"] != "0123456789", len(values["SALT_KEY"]) >= 40) == (True, True)


def test_files_and_data_that_do_not_go_together() -> None:
    ports, _ = healthy("compose")
    file(ports, "docker-compose.yml", "services:\n  db:\n    image: postgis/postgis:17-3.5\n")
    ports.directory.status = replace(ports.directory.status, version="15.4")
    assert "I03: The release runs PostgreSQL 17" in the(found(ports), "I06").evidence


def test_changed_files_of_the_release() -> None:
    ports, _ = healthy("compose")
    ports.deployment.site.changed = ("docker-compose.yml",)
    assert the(found(ports), "I08").evidence == "Changed: docker-compose.yml."


@pytest.mark.parametrize(
    ("log", "means"),
    [("E: Failed to fetch https://mirror/x.deb", "A08"), ("KeyError: 'SALT_KEY'", "A12"),
     ("Bind for 0.0.0.0:80 failed: port is already allocated", "A05"),
     ("error: Your local changes would be overwritten by checkout", "I08"),
     ("services.x.depends_on contains an invalid type", "A07")],
)  # fmt: skip
def test_the_last_deployment_that_failed_is_explained(log: str, means: str) -> None:
    ports, _ = healthy("compose")
    now, to = ports.clock.now(), Revision("b" * 40, "v2")
    begun = Record(id="20260101-1", kind="deploy", by="anna", began_at=now, before=Revision("a" * 40, "v1"), after=to)
    records = ports.records
    records.write(
        "deployments/20260101-1/record.json", as_document(begun.ended(DeployState.ROLLED_BACK, now, "It broke."))
    )
    records.write_text("deployments/20260101-1/log.txt", log)
    assert f"It broke. ({means}:" in the(found(ports), "A08").evidence
    records.write(
        "deployments/20260101-2/record.json",
        as_document(replace(begun, id="20260101-2").ended(DeployState.DEPLOYED, now)),
    )
    assert found(ports).findings == ()


def test_a_public_name_is_missing_only_where_it_is_refused() -> None:
    ports, _ = healthy("compose")
    kept = [line for line in ENV.splitlines() if not line.startswith("DJANGO_ALLOWED_HOSTS")]
    ports.deployment.site.env = "\n".join([*kept, 'DJANGO_ALLOWED_HOSTS="app nginx"']) + "\n"
    assert found(ports).findings == ()
    ports.api.answers["/api/v1/status/"] = (400, b"<h1>Bad Request (400)</h1>")
    assert the(found(ports), "B04").evidence == "DJANGO_ALLOWED_HOSTS lacks field.example.org."
    values = ports.deployment.settings.values
    assert the(found(ports, fix=True), "B04").result is Result.FIXED
    assert values()["DJANGO_ALLOWED_HOSTS"] == "app nginx field.example.org"


def test_a_name_that_leads_nowhere_from_here_says_nothing_of_the_server() -> None:
    class Nameless(MemoryApi):
        def get(self, path: str, *, timeout_s: float = 5) -> ApiAnswer:
            raise UnknownNameError(f"{path} cannot be resolved from here, after {timeout_s} s.")

    ports, _ = healthy("compose")
    ports.deployment.routes = {"public": Nameless({}), "app": leg(200)}
    assert found(ports).findings == ()


def test_files_that_nginx_would_not_start_with() -> None:
    ports, _ = healthy("compose")
    said = 'nginx: [emerg] duplicate location "/" in /etc/nginx/conf.d/default.conf:91\nnginx: configuration failed'

    def judge(service: str, argv: object, stdin: bytes) -> str:
        del stdin
        if service == "nginx":
            assert argv == ["nginx", "-t"]
            raise CommandError("nginx ended with exit code 1", said=said)
        raise CommandError("no such command")

    ports.runtime.execute_with = judge
    evidence = the(found(ports), "B02-files").evidence
    assert evidence == 'nginx -t says: duplicate location "/" in /etc/nginx/conf.d/default.conf:91'


def test_a_tunnel_that_does_not_run_or_is_cut_off_is_found() -> None:
    ports, _ = healthy("compose")
    connected = Tunnel("container", "cloudflared", True, connections=4)
    ports.deployment.tunnels = MemoryTunnels((connected, Tunnel("process", "other", True)))
    assert "tunnel" not in ids(found(ports))
    ports.deployment.tunnels = MemoryTunnels((connected, Tunnel("container", "replaced", False)))
    assert "tunnel" not in ids(found(ports))
    ports.deployment.tunnels = MemoryTunnels((Tunnel("container", "login", False, wanted=False),))
    assert "tunnel" not in ids(found(ports))
    ports.deployment.tunnels = MemoryTunnels((replace(connected, connections=0), Tunnel("container", "old", False)))
    assert (
        the(found(ports), "tunnel").evidence
        == "old is not running. cloudflared is running but has no connection to Cloudflare."
    )
