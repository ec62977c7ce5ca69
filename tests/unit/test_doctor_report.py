"""The shareable report of a diagnosis: everything that helps, nothing that identifies the server."""

from __future__ import annotations

import stat
from dataclasses import replace
from pathlib import Path

import pytest

from checks_world import ENV, found, healthy
from qfc.errors import QfcError, UnreachableError, UsageError
from qfc.operations.doctor_report import WIDTH, report, write_report
from qfc.operations.health_legs import legs
from qfc.stack.model import BoxLayer, LogLine, User
from qfc.stack.redaction import Redactor

SECRETS = {
    "POSTGRES_PASSWORD": "hunter2-of-the-database",
    "SALT_KEY": "salt-salt-salt",
    "STORAGES": '{"default": {"OPTIONS": {"secret_key": "deep-in-json"}}}',
    "EMAIL_HOST_USER": "mailer",
}


def test_a_report_tells_what_is_wrong_and_not_whose_server_it_is() -> None:
    ports, world = healthy("compose")
    kept = [line for line in ENV.splitlines() if not line.startswith("STORAGES")]
    ports.deployment.site.env = "\n".join([*kept, *(f"{name}={value}" for name, value in SECRETS.items())]) + "\n"
    ports.directory.user_rows["carol"] = User("carol", "carol@example.org", "person", False, True, None, 0, 10**9)
    project = world.project("secret-valley")
    feedback = {"error": "carol of secret-valley at 192.168.7.9: password=hunter2-of-the-database"}
    world.job(project, "failed", started=5, ended=4, feedback=feedback)
    now = ports.clock.now()
    said = "login of carol@example.org from 10.1.2.3 with Token abcdefghijklmnopqrstuvwxyz at field.example.org"
    ports.runtime.lines.append(LogLine("app", "app-1", now, "ERROR", said))
    text = report(ports, found(ports))
    secrets = [value for name, value in SECRETS.items() if name not in ("STORAGES", "EMAIL_HOST_USER")]
    named = ["=mailer", "deep-in-json", "carol", "secret-valley", "field.example.org", "192.168.7.9", "10.1.2.3"]
    for hidden in (*secrets, *named, "abcdefghijklmnop", "a-b-c"):
        assert hidden not in text, hidden
    for told in ("POSTGRES_PASSWORD=[hidden]", "DEBUG=0", "**D14-jobs**", "[person-", "[project-", "[e-mail]",
                 "[address]", "[host-1]", "worker_wrapper", "migrations, the last is core.0001"):  # fmt: skip
        assert told in text, told


def test_the_layers_of_the_box_are_named() -> None:
    ports, _ = healthy()
    layers = (BoxLayer("landlock", "used", "version 7"), BoxLayer("mounts", "missing", "Operation not permitted"))
    ports.jobs.worker_rows[:] = [replace(row, layers=layers) for row in ports.jobs.worker_rows]
    named = "landlock; mounts missing (Operation not permitted)"
    assert f"- box of jobs: {named}\n" in report(ports, found(ports))
    assert [leg.evidence for leg in legs(ports) if leg.id == "box"] == [named]


@pytest.mark.parametrize("before", range(WIDTH - 30, WIDTH + 2, 3))
def test_a_secret_where_a_line_is_cut_leaves_no_half_of_it(before: int) -> None:
    ports, _ = healthy("compose")
    ports.deployment.site.env = f"{ENV}SALT_KEY=salt-and-more-of-it\n"
    line = f"{'x' * before} salt-and-more-of-it"
    ports.runtime.lines.append(LogLine("app", "app-1", ports.clock.now(), "ERROR", line))
    text = report(ports, found(ports))
    assert "xxx" in text
    assert "salt-" not in text


def test_every_host_of_the_settings_becomes_a_number() -> None:
    ports, _ = healthy("compose")
    ports.deployment.site.env = f"{ENV}CSRF_TRUSTED_ORIGINS=https://gis.example.net\n"
    said = "Invalid HTTP_HOST header: 'GIS.example.net'"
    ports.runtime.lines.append(LogLine("app", "app-1", ports.clock.now(), "ERROR", said))
    text = report(ports, found(ports))
    assert "Invalid HTTP_HOST header: '[host-" in text
    assert "gis.example.net" not in text.lower()


def test_a_part_that_cannot_be_looked_at_says_so() -> None:
    ports, _ = healthy()

    def away() -> None:
        raise UnreachableError("The database does not answer.")

    ports.directory.database = away  # pyright: ignore[reportAttributeAccessIssue]
    text = report(ports, found(ports))
    assert "Could not be read: The database does not answer." in text
    assert "| worker_wrapper | running |" in text


def test_the_file_is_its_owners_alone_and_no_file_is_overwritten(tmp_path: Path) -> None:
    ports, _ = healthy()
    made = write_report(ports, found(ports), tmp_path / "report.md")
    assert stat.S_IMODE(made.stat().st_mode) == 0o600
    before = made.read_text()
    with pytest.raises(UsageError, match="already exists"):
        write_report(ports, found(ports), made)
    assert made.read_text() == before
    with pytest.raises(QfcError, match="cannot be written"):
        write_report(ports, found(ports), tmp_path / "nowhere" / "report.md")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("postgres://anna:pw@db/x", "postgres://[hidden]@db/x"),
        ('{"password": "x y"}', '{"password": [hidden]}'),
        ("GET /f?X-Amz-Signature=abc&n=1", "GET /f?X-Amz-Signature=[hidden]&n=1"),
        ("fe80:0:0:1:2:3:4:5 and 12:34:56", "[address] and 12:34:56"),
        ("-----BEGIN PRIVATE KEY-----\nabc\n-----END PRIVATE KEY-----", "[hidden]"),
        ("annabel and anna", "annabel and [person-1]"),
        ("job 4ad2fe27-cc9a-42f9-acf9-c465799fac25", "job 4ad2fe27-cc9a-42f9-acf9-c465799fac25"),
    ],
)
def test_what_is_hidden(text: str, expected: str) -> None:
    assert Redactor([], {"person": ["anna"]})(text) == expected
