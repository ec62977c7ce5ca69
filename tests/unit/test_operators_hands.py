"""What operators do by hand: stop the last worker, look at a stopped stack, mistype, name a stack, search logs."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import click
import pytest

from checks_world import YES, found, healthy, ids
from qfc.checks import EVERYTHING
from qfc.cli import complete
from qfc.cli.audit import write_audit
from qfc.cli.catalog import addressed, addressed_document
from qfc.cli.diagnosis import write_findings
from qfc.cli.output import Writer, brief_text, moment_text, time_text
from qfc.cli.session import Session
from qfc.cli.stacks import write_stacks
from qfc.cli.status import write_services
from qfc.drivers.objects.s3 import bucket_of
from qfc.errors import ConfigError, NotConfirmedError, NotFoundError, NotRunningError, UnreachableError
from qfc.lab import fault
from qfc.operations.guard import Options
from qfc.operations.health import health
from qfc.operations.logs import LogQuery, logs
from qfc.operations.services import services_restart
from qfc.operations.stacks import StackLine, Stacks
from qfc.operations.status import status
from qfc.operations.sync_diagnose import Diagnosis, diagnose
from qfc.operations.users_disable import users_disable
from qfc.operations.users_list import find
from qfc.operations.workers_change import WorkersChanged, workers_drain, workers_restart, workers_scale
from qfc.stack.findings import unknown
from qfc.stack.model import (
    AuditEntry,
    Disk,
    Health,
    Instance,
    Kind,
    LogLine,
    Service,
    ServiceState,
    User,
    Verdict,
)
from twins import MemoryPorts


def written(result: Diagnosis) -> str:
    out = io.StringIO()
    write_findings(Writer(as_json=False, quiet=False, out=out), result)
    return out.getvalue()


def superuser(ports: MemoryPorts, *names: str) -> None:
    for name in names:
        ports.directory.user_rows[name] = User(name, "", "person", True, True, None, 0, None)


@pytest.mark.parametrize("change", [workers_drain, workers_restart])
def test_workers_of_a_stopped_stack_are_not_drained_and_not_restarted(
    change: Callable[[MemoryPorts, Options], WorkersChanged],
) -> None:
    ports, _ = healthy()
    ports.runtime.stop(None)
    with pytest.raises(NotRunningError, match="is not running"):
        change(ports, YES)
    with pytest.raises(NotRunningError):
        services_restart(ports, None, YES)


def test_the_last_worker_is_stopped_after_a_question_only() -> None:
    ports, _ = healthy()
    with pytest.raises(NotConfirmedError, match="all jobs wait"):
        workers_scale(ports, 0, Options())
    assert workers_scale(ports, 0, YES).wanted == 0


def test_the_last_superuser_is_disabled_after_a_question_only() -> None:
    ports, _ = healthy()
    superuser(ports, "anna", "otto")
    assert not users_disable(ports, "otto", enable=False, options=Options()).is_active
    with pytest.raises(NotConfirmedError, match="anna is the last superuser"):
        users_disable(ports, "anna", enable=False, options=Options())
    assert not users_disable(ports, "anna", enable=False, options=YES).is_active


def test_the_doctor_says_one_thing_of_a_stopped_stack() -> None:
    ports, _ = healthy()
    ports.runtime.stop(None)
    result = found(ports)
    assert ids(result) == ["stack"]
    assert not result.ready
    assert "qfc up" in result.findings[0].fix
    assert len(written(result).splitlines()) <= 5


def test_checks_that_could_not_look_for_one_reason_are_one_line() -> None:
    blind = [replace(unknown(f"A{number}", "No database."), title=f"T{number}") for number in range(30)]
    single = replace(unknown("B1", "Another reason."), title="Alone")
    text = written(Diagnosis(True, (*blind, single), ()))
    assert "30 checks could not look: No database." in text
    assert "T7" not in text
    assert "Alone" in text


def test_a_dry_run_of_repairs_prints_the_plan() -> None:
    ports, _ = healthy("compose")
    ports.deployment.site.env += "DEBUG=1\n"
    result = diagnose(ports, EVERYTHING, Options(dry_run=True), fix=True, proof=False)
    assert result.steps
    assert f"Would: {result.steps[0].split(' (')[0]}" in " ".join(written(result).split())


def test_a_full_disk_is_down_in_status_and_in_health() -> None:
    ports, _ = healthy()
    ports.runtime.space = Disk(free_bytes=10**6, total_bytes=10**11)
    assert status(ports).verdict is Verdict.DOWN
    assert health(ports).verdict is Verdict.DOWN


def test_logs_are_searched_as_they_are_printed() -> None:
    ports, _ = healthy()
    at = ports.clock.now() - timedelta(minutes=1)
    ports.runtime.lines[:] = [
        LogLine("app", "app-1", at, "ERROR", "no space"),
        LogLine("app", "app-1", at, "INFO", "ready"),
    ]
    for expression in ("ERROR", "^no", "app-1 +ERROR"):
        assert [line.text for line in logs(ports, LogQuery(grep=expression))] == ["no space"]


def test_names_that_were_meant_are_suggested() -> None:
    ports, _ = healthy()
    superuser(ports, "Anna")
    with pytest.raises(NotFoundError, match="Did you mean Anna"):
        find(ports, "ana")
    with pytest.raises(NotFoundError, match="Did you mean worker_wrapper"):
        services_restart(ports, ["worker_wraper"], YES)
    with pytest.raises(NotFoundError, match="Did you mean worker-missing"):
        fault("worker-mising")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Type: qfc up", "Type: qfc --stack a up"),
        ("qfc logs --lines 1, then qfc doctor", "qfc --stack a logs --lines 1, then qfc --stack a doctor"),
        ("Type: qfc init, or qfc demo", "Type: qfc init, or qfc demo"),
        ("qfc has a bug: run it upstairs", "qfc has a bug: run it upstairs"),
        ("qfc --stack other up", "qfc --stack other up"),
    ],
)
def test_commands_name_the_stack_that_the_operator_named(text: str, shown: str) -> None:
    assert addressed(text, "a") == shown
    assert addressed(text, None) == text


def test_machines_get_the_stack_in_sentences_and_data_unchanged() -> None:
    document = {"findings": [{"fix": "qfc up", "title": "qfc up"}], "reasons": ["see: qfc sync queue"]}
    assert addressed_document(document, "field") == {
        "findings": [{"fix": "qfc --stack field up", "title": "qfc up"}],
        "reasons": ["see: qfc --stack field sync queue"],
    }


def test_an_error_names_the_stack_for_people_and_machines() -> None:
    error = UnreachableError("It does not answer.", hint="Type: qfc up")
    for as_json in (False, True):
        out, err = io.StringIO(), io.StringIO()
        Writer(as_json=as_json, quiet=False, out=out, err=err, stack="field").error(error)
        text = json.loads(out.getvalue())["error"]["hint"] if as_json else err.getvalue().splitlines()[-1]
        assert text == "Type: qfc --stack field up"


def test_times_are_utc_and_say_so() -> None:
    moment = datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone(timedelta(hours=2)))
    assert time_text(moment) == "2026-01-02 01:04:05"
    assert moment_text(moment.astimezone(UTC)) == "2026-01-02 01:04:05 UTC"


def test_keys_of_a_bucket_may_be_in_files(tmp_path: Path) -> None:
    (tmp_path / "id").write_text("me\n")
    (tmp_path / "key").write_text("s3cret\n")
    settings = {
        "STORAGE_BUCKET_NAME": "b",
        "STORAGE_ACCESS_KEY_ID_FILE": str(tmp_path / "id"),
        "STORAGE_SECRET_ACCESS_KEY_FILE": str(tmp_path / "key"),
    }
    bucket = bucket_of(settings)
    assert bucket is not None
    assert (bucket.access_key, bucket.secret_key) == ("me", "s3cret")
    with pytest.raises(ConfigError, match="missing cannot be read"):
        bucket_of({**settings, "STORAGE_SECRET_ACCESS_KEY_FILE": str(tmp_path / "missing")})


@pytest.mark.parametrize(("url", "is_found"), [("http://192.168.1.7:8011", True), ("http://127.0.0.1:8011", False)])
def test_a_server_on_the_network_without_tls_is_a_finding(url: str, is_found: bool) -> None:
    ports, _ = healthy()
    ports.api.url = url
    assert ("B09-none" in ids(found(ports))) is is_found


def narrow(monkeypatch: pytest.MonkeyPatch) -> tuple[Writer, io.StringIO]:
    monkeypatch.setenv("COLUMNS", "80")
    out = io.StringIO()
    return Writer(as_json=False, quiet=False, out=out), out


def test_the_status_of_a_stack_fits_80_columns_with_names_in_one_piece(monkeypatch: pytest.MonkeyPatch) -> None:
    writer, out = narrow(monkeypatch)
    workers = tuple(
        Instance(f"worker_wrapper-{n}", ServiceState.RESTARTING, 1234567, 86399, 100, 10**9, 12) for n in (1, 12)
    )
    app = Instance("app", ServiceState.RUNNING, 1234567, 10**7, 100, 10**9, 100)
    services = (
        Service("worker_wrapper", ServiceState.RESTARTING, Health.UNHEALTHY, 12, workers),
        Service("app", ServiceState.RUNNING, Health.UNHEALTHY, 1, (app,)),
    )
    write_services(writer, services)
    lines = out.getvalue().splitlines()
    assert max(map(len, lines)) <= 80
    assert [line.split()[0] for line in lines[1:]] == ["worker_wrapper", "worker_wrapper-1", "worker_wrapper-12", "app"]


def test_stacks_jobs_and_audit_fit_80_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    writer, out = narrow(monkeypatch)
    folder = Path("/root/.local/share/qfc/local")
    line = StackLine(
        "local", Kind.EMBEDDED, True, ServiceState.RUNNING, Verdict.OK, "http://127.0.0.1:8011", folder, ""
    )
    write_stacks(writer, Stacks(Path("/c"), (line,)))
    assert "/root/.local/share/qfc/local" in out.getvalue()
    entry = AuditEntry(datetime(2026, 1, 2, tzinfo=UTC), "operator@gis-server", "services recreate", "app", "done", 187)
    write_audit(writer, (entry,))
    assert max(map(len, out.getvalue().splitlines())) <= 80


def test_durations_in_tables_are_brief() -> None:
    assert [brief_text(one) for one in (None, 12, 3599, 86399, 10**6)] == ["-", "12 s", "59 min", "23 h", "11 d"]


@pytest.mark.parametrize(
    ("completion", "begun", "offered"),
    [
        (complete.users, "an", ["Anna"]),
        (complete.projects, "alice/s", ["alice/survey"]),
        (complete.services, "work", ["worker_wrapper"]),
        (complete.faults, "worker-mis", ["worker-missing"]),
    ],
)
def test_shells_are_offered_names_of_the_stack(completion: complete.Completion, begun: str, offered: list[str]) -> None:
    ports, _ = healthy()
    superuser(ports, "Anna")
    option = click.Option(["--name"])
    context = click.Context(click.Command("x"), obj=Session(_ports=ports))
    assert [item.value for item in completion(context, option, begun)] == offered


def test_a_stack_that_does_not_answer_offers_nothing() -> None:
    ports, _ = healthy()
    context = click.Context(click.Command("x"), obj=Session(_ports=replace(ports, directory=None)))  # type: ignore[arg-type]
    assert complete.users(context, click.Option(["--name"]), "a") == []
