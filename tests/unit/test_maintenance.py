"""Maintenance: its steps, its lock, what is remembered, and what starts it."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import stat
import subprocess
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checks_world import found, healthy
from qfc.config.values import Schedule
from qfc.drivers.crontab import SystemCrontab, UserCrontab
from qfc.drivers.systemd import Systemd
from qfc.errors import LockHeldError, QfcError, RefusedError, UsageError
from qfc.operations.guard import Options
from qfc.operations.held import held
from qfc.operations.maintenance.run import maintenance_history, maintenance_run
from qfc.operations.maintenance.schedule import (
    install_cron,
    install_timers,
    maintenance_list,
    maintenance_uninstall,
)
from qfc.operations.maintenance.stats import usage_of, write_report
from qfc.operations.maintenance.steps import STEPS, Step
from qfc.stack import journal
from qfc.stack.findings import Result
from qfc.stack.maintenance import (
    JOBS,
    MOST_RUNS,
    Period,
    Run,
    StepResult,
    Usage,
    added,
    as_html,
    as_markdown,
    calendar_of,
    cron_of,
    from_document,
    never_ended,
    to_document,
)
from qfc.stack.maintenance.schedule import SchedulePlan, cron_lines, service_text, timer_text
from qfc.stack.model import Project, User
from qfc.stack.monitor import Message
from qfc.stack.ports import Post
from requirements import require
from twins import MemoryLock, MemoryPorts, memory_stack
from twins.records import LockTable

STEPS_OF = "qfc.operations.maintenance.steps"
NOW = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
TIMES = {"quick-check": "every 5m", "cleanup": "every 30m", "restart-workers": "every 4h", "daily": "02:00",
         "stats": "off"}  # fmt: skip


def plan(**more: object) -> SchedulePlan:
    made = SchedulePlan("field", ("/opt/my tools/python", "-m", "qfc"), TIMES, environment={"QFC_CONFIG": "/a b/50%"})
    return replace(made, **more)  # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize("text", ["off", "00:00", "23:59", "every 1m", "every 30m", "every 4h", "every 24h"])
def test_a_time_is_accepted(text: str) -> None:
    assert Schedule().parse(text) == text


@pytest.mark.parametrize("text", ["", "24:00", "2:00", "every 7m", "every 0m", "every 5h", "daily", 5, None])
def test_what_is_no_time_is_refused(text: object) -> None:
    with pytest.raises(ValueError, match="must be"):
        Schedule().parse(text)


def test_times_are_written_for_cron_and_systemd() -> None:
    assert [cron_of(text) for text in ("every 5m", "every 4h", "02:00", "06:07")] == [
        "*/5 * * * *", "0 */4 * * *", "0 2 * * *", "7 6 * * *"]  # fmt: skip
    assert calendar_of("every 5m") == "*-*-* *:0/5:00"
    assert calendar_of("every 4h", "Europe/Zurich") == "*-*-* 0/4:00:00 Europe/Zurich"
    assert calendar_of("02:00") == "*-*-* 02:00:00"


def test_each_job_has_steps() -> None:
    assert list(STEPS) == [job.name for job in JOBS]


def idle(ports: MemoryPorts) -> MemoryPorts:
    ports.runtime.start(None)
    return ports


def steps_of(ports: MemoryPorts, name: str) -> dict[str, str]:
    return {one.name: one.result for one in maintenance_run(ports, name, Options()).steps}


def test_a_quick_check_looks_and_records() -> None:
    ports = idle(memory_stack())
    assert steps_of(ports, "quick-check") == {"status": "done", "measure": "done"}
    assert len(ports.metrics_history.samples(ports.clock.now() - timedelta(hours=1))) == 1
    assert not ports.audit.entries(limit=9), "it changes nothing"
    ports.runtime.stop(["app"])
    failed = maintenance_run(ports, "quick-check", Options())
    assert (failed.result, failed.exit_code) == ("failed", 1)
    assert "app" in failed.steps[0].sentence


def test_workers_are_restarted_only_when_no_job_waits_or_runs() -> None:
    ports, world = healthy("memory")
    before = [one.id for service in ports.runtime.services() for one in service.instances]
    world.job(world.project("survey"))
    assert steps_of(ports, "restart-workers") == {"restart": "skipped"}
    assert [one.id for service in ports.runtime.services() for one in service.instances] == before
    ports.jobs.job_rows.clear()
    assert steps_of(ports, "restart-workers") == {"restart": "done"}
    assert "workers restart" in [entry.command for entry in ports.audit.entries(limit=9)]


def test_nothing_runs_while_somebody_else_changes_the_stack() -> None:
    table = LockTable()
    ports = idle(memory_stack())
    ports = replace(ports, lock=MemoryLock(ports.clock, table))
    other = MemoryLock(ports.clock, table, user="bob", pid=2)
    other.take("deploy v2")
    for job in JOBS:
        with pytest.raises(LockHeldError, match="deploy v2"):
            maintenance_run(ports, job.name, Options())
    assert not maintenance_history(ports).runs


@pytest.mark.parametrize("name", ["cleanup", "restart-workers", "daily"])
def test_an_interrupted_operation_is_left_to_people(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    recovered: list[str] = []
    monkeypatch.setattr("qfc.operations.guard.recover", lambda *_: recovered.append("recovered"))
    ports = idle(memory_stack())
    journal.write(ports.records, journal.Entry("db restore", {"state": "replacing", "kept": None}))
    with pytest.raises(RefusedError, match="db restore was interrupted; maintenance waits"):
        maintenance_run(ports, name, Options())
    assert not recovered
    assert journal.read(ports.records)
    assert not maintenance_history(ports).runs
    assert ports.lock.holder() is None
    (entry,) = ports.audit.entries(limit=9)
    assert (entry.command, entry.result.partition(":")[0]) == ("maintenance run", "refused")


def test_the_lock_is_held_from_the_first_step_to_the_last(monkeypatch: pytest.MonkeyPatch) -> None:
    """Operations within it take and release the lock by themselves; it stays."""
    ports = idle(memory_stack())
    seen: list[bool] = []
    monkeypatch.setattr(
        "qfc.operations.maintenance.steps.manage", lambda *_, **__: seen.append(bool(ports.lock.holder()))
    )
    maintenance_run(ports, "cleanup", Options())
    assert seen == [True]
    assert ports.lock.holder() is None
    with pytest.raises(RuntimeError, match="not held"):
        held(ports).lock.take("nothing")


def test_a_step_that_fails_stops_only_those_that_need_it() -> None:
    ports, _ = healthy("compose")  # of a kind that this release does not back up
    ports.directory.dead = ("core_job",)
    done = maintenance_run(ports, "daily", Options())
    results = {one.name: one.result for one in done.steps}
    assert results["verify"] == results["prune backups"] == "skipped"
    assert results["stuck jobs"] == "done"
    assert next(one.sentence for one in done.steps if one.name == "vacuum") == "1 table vacuumed: core_job."


def test_a_dry_run_names_the_steps() -> None:
    ports = idle(memory_stack())
    planned = maintenance_run(ports, "daily", Options(dry_run=True))
    assert [one.name for one in planned.steps] == [step.name for step in STEPS["daily"]]
    assert not maintenance_history(ports).runs
    with pytest.raises(UsageError, match="no job"):
        maintenance_run(ports, "weekly", Options())


def test_runs_are_remembered_and_killed_ones_are_found() -> None:
    ports, _ = healthy("memory")
    steps_of(ports, "quick-check")
    (run,) = maintenance_history(ports).runs
    assert (run.job, run.result) == ("quick-check", "done")
    killed = Run("daily", ports.clock.now() - timedelta(hours=1), None, (StepResult("backup", "done", "made"),))
    ports.records.write("maintenance/daily.json", to_document([killed]))
    assert maintenance_history(ports).unended == ("daily",)
    finding = next(one for one in found(ports).findings if one.id == "maintenance-unended")
    assert finding.result is Result.FOUND
    assert "daily" in finding.evidence
    steps_of(ports, "daily")
    assert maintenance_history(ports).unended == ()
    assert not [one for one in found(ports).findings if one.id == "maintenance-unended"]


def test_a_run_that_goes_on_is_not_killed() -> None:
    run = Run("daily", NOW)
    later = NOW + timedelta(hours=5)
    assert never_ended(run, later, is_locked=False)
    assert not never_ended(run, later, is_locked=True)
    assert not never_ended(run, NOW + timedelta(minutes=5), is_locked=False)
    assert not never_ended(replace(run, ended_at=NOW), later, is_locked=False)


def test_the_last_runs_are_kept() -> None:
    runs: tuple[Run, ...] = ()
    for minute in range(MOST_RUNS + 9):
        runs = added(runs, Run("stats", NOW + timedelta(minutes=minute)))
    ended = replace(runs[-1], ended_at=NOW + timedelta(days=1), steps=(StepResult("report", "done", "x", 1.5),))
    runs = added(runs, ended)
    assert len(runs) == MOST_RUNS
    assert runs[-1] == ended
    assert from_document(json.loads(json.dumps(to_document(runs)))) == runs


@pytest.mark.parametrize(
    "document", [None, {}, {"runs": 3}, {"runs": [{}]}, {"runs": [{"job": "x", "began_at": "now"}]}]
)
def test_a_damaged_record_counts_as_empty(document: Mapping[str, object] | None) -> None:
    assert from_document(document) == ()


def test_a_report_is_written_and_compared_with_the_last_one() -> None:
    ports = idle(memory_stack())
    now = ports.clock.now()
    ports.directory.user_rows["anna"] = User("anna", "", "person", False, True, now, 0, None)
    ports.directory.user_rows["bob"] = User("bob", "", "person", False, True, None, 0, None)
    path = write_report(ports)
    assert path.endswith(".md")
    assert {Path(name).suffix for name in ports.records.names("reports")} == {".md", ".html", ".json"}
    ports.clock.sleep(86_400)
    ports.directory.project_rows["1"] = Project("1", "survey", "anna", "ok", 1, 5, None, None)
    usage = usage_of(ports)
    assert (usage.people, usage.active_people, usage.new_projects, usage.since) == (2, 1, 1, now)


class Letterbox(Post):
    """A route that keeps what it is given, or fails."""

    def __init__(self, error: str = "") -> None:
        self.messages: list[Message] = []
        self._error = error

    @property
    def name(self) -> str:
        """Its name."""
        return "letterbox"

    def send(self, message: Message, about: Mapping[str, str]) -> None:
        """Keep it."""
        del about
        if self._error:
            raise QfcError(self._error)
        self.messages.append(message)


def test_a_report_is_sent_where_alerts_go() -> None:
    ports, post = idle(memory_stack()), Letterbox()
    assert steps_of(ports, "stats") == {"report": "done", "send": "skipped"}
    done = maintenance_run(ports, "stats", Options(), posts=[post])
    assert [(one.name, one.result) for one in done.steps] == [("report", "done"), ("send", "done")]
    assert post.messages[0].title == "memory: usage"
    assert "| the week |" in post.messages[0].body
    failed = maintenance_run(ports, "stats", Options(), posts=[Letterbox("no route to host")])
    assert (failed.result, failed.steps[1].sentence) == ("failed", "letterbox: no route to host")


def test_a_daily_round_is_a_report_and_sent_only_if_something_failed(monkeypatch: pytest.MonkeyPatch) -> None:
    ports, post = healthy("memory")[0], Letterbox()
    monkeypatch.setitem(STEPS, "daily", (Step("vacuum", lambda *_: "Nothing to do."),))  # pyright: ignore
    maintenance_run(ports, "daily", Options(), posts=[post])
    (name,) = [one for one in ports.records.names("reports") if one.startswith("daily-")]
    assert "- vacuum: done. Nothing to do." in (ports.records.read_text(f"reports/{name}") or "")
    assert not post.messages

    def broken(*_: object) -> str:
        raise QfcError("The disk is full.")

    monkeypatch.setitem(STEPS, "daily", (Step("backup", broken),))  # pyright: ignore
    maintenance_run(ports, "daily", Options(), posts=[post])
    assert "- backup: failed. The disk is full." in post.messages[0].body


def test_a_large_audit_log_is_rotated_once_a_day() -> None:
    step = next(one for one in STEPS["daily"] if one.name == "logs")
    ports = memory_stack()
    assert step.do(ports, Options()) == "The audit log is small."
    ports.audit.rotate = lambda larger_than: larger_than == 10 * 1024 * 1024  # pyright: ignore
    assert step.do(ports, Options()) == "The audit log is set aside."


@given(st.text(max_size=20))
def test_a_page_holds_no_markup_of_others(name: str) -> None:
    period = Period("the day", 24, 3, 1, 0.75, 2.0, None, 1.0)
    usage = Usage(name, NOW, (period,), 1, 2, 1, 10**6, 10**7, NOW, -(10**6), 1)
    page = as_html(replace(usage, stack=f"<script>{name}"))
    assert "<script>" not in page
    assert "| the day | 3 | 1 | 75% | 2.0 s | - | 1.0 s |" in as_markdown(usage)
    assert "1 projects (+1)." in as_markdown(usage)


def test_lines_of_cron_are_read_by_a_shell() -> None:
    lines = cron_lines(plan(), "ops").splitlines()
    assert [line.split(" ops ")[0] for line in lines] == ["*/5 * * * *", "*/30 * * * *", "0 */4 * * *", "0 2 * * *"]
    words = shlex.split(lines[3].split(" ops ")[1].replace("\\%", "%"))
    assert words[:2] == ["QFC_CONFIG=/a b/50%", "/opt/my tools/python"]
    assert words[-4:] == ["maintenance", "run", "daily", ">/dev/null"]
    assert "stats" not in "".join(lines)


def test_units_are_what_systemd_accepts(tmp_path: Path) -> None:
    require("systemd-analyze", shutil.which("systemd-analyze") is not None, "the program systemd-analyze")
    folder = tmp_path / "units"
    folder.mkdir()
    made = plan(program=("/bin/true",), zone="Europe/Zurich", environment={"QFC_HOME": "/srv/q"})
    for name, _ in made.jobs():
        (folder / f"qfc-field-{name}.service").write_text(service_text(made, name, is_system=True))
        (folder / f"qfc-field-{name}.timer").write_text(timer_text(made, name))
    done = subprocess.run(["systemd-analyze", "verify", "--man=no", *folder.iterdir()], capture_output=True, text=True,
                          check=False)  # fmt: skip
    assert done.returncode == 0, done.stderr
    for text in TIMES.values():
        if text != "off":
            moment = calendar_of(text, "Europe/Zurich")
            assert (
                subprocess.run(["systemd-analyze", "calendar", moment], capture_output=True, check=False).returncode
                == 0
            )


class Folder(Systemd):
    """systemd's files without systemd."""

    def __init__(self, folder: Path) -> None:
        super().__init__(system=False, folder=folder, booted=folder)
        self.asked: list[tuple[str, ...]] = []

    def _ask(self, *words: str, check: bool = True) -> str:
        del check
        self.asked.append(words)
        return ""


def test_timers_are_installed_changed_and_removed(tmp_path: Path) -> None:
    ports, units, crontab = idle(memory_stack()), Folder(tmp_path), SystemCrontab("ops", tmp_path / "cron.d")
    done = install_timers(ports, plan(), units, Options())
    names = {f"qfc-field-{name}.{kind}" for name in done.jobs for kind in ("service", "timer")}
    assert {path.name for path in tmp_path.iterdir()} == names
    assert ("enable", "--now", "qfc-field-daily.timer") in units.asked
    assert not [words for words in units.asked if words[-1].endswith(".service")], "a job is not started at once"
    install_timers(ports, plan(times={**TIMES, "cleanup": "off"}), units, Options())
    assert not (tmp_path / "qfc-field-cleanup.timer").exists()
    listed = {one.name: one.started_by for one in maintenance_list(ports, plan(), units, crontab).jobs}
    assert (listed["daily"], listed["cleanup"]) == ("systemd", None)
    maintenance_uninstall(ports, plan(), units, crontab, Options())
    assert not list(tmp_path.iterdir())
    with pytest.raises(RefusedError, match="Nothing starts"):
        maintenance_uninstall(ports, plan(), units, crontab, Options())


def test_cron_of_the_system_has_a_file_of_its_own(tmp_path: Path) -> None:
    ports, units, crontab = idle(memory_stack()), Folder(tmp_path / "units"), SystemCrontab("ops", tmp_path)
    dry = install_cron(ports, plan(stack="my.stack"), crontab, Options(dry_run=True))
    assert (dry.dry_run, list(tmp_path.iterdir())) == (True, [])
    install_cron(ports, plan(stack="my.stack"), crontab, Options())
    (path,) = tmp_path.iterdir()
    assert path.name == "qfc-maintenance-my-stack", "cron ignores names with a dot"
    assert stat.S_IMODE(path.stat().st_mode) == 0o644
    listed = {one.name: one.started_by for one in maintenance_list(ports, plan(stack="my.stack"), units, crontab).jobs}
    assert (listed["daily"], listed["stats"]) == ("cron", None)
    maintenance_uninstall(ports, plan(stack="my.stack"), units, crontab, Options())
    assert not list(tmp_path.iterdir())
    with pytest.raises(RefusedError, match="time zone"):
        install_cron(ports, plan(zone="Europe/Zurich"), crontab, Options())


CRONTAB = """#!/bin/sh
case "$1" in
-l) [ -e "$CRON_FILE" ] && cat "$CRON_FILE" || { echo "no crontab" >&2; exit 1; } ;;
-) cat >"$CRON_FILE" ;;
esac
"""


def test_lines_of_others_stay_in_a_crontab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program, table = tmp_path / "crontab", tmp_path / "table"
    program.write_text(CRONTAB)
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.setenv("CRON_FILE", str(table))
    crontab = UserCrontab()
    assert crontab.block("one") is None
    crontab.put("one", "1 * * * * a\n")
    table.write_text("0 5 * * * mine\n" + table.read_text() + "0 6 * * * mine too")
    crontab.put("two", "2 * * * * b\n")
    crontab.put("one", "3 * * * * c\n")
    assert crontab.block("one") == "3 * * * * c\n"
    crontab.put("one", "")
    crontab.put("two", "")
    assert table.read_text() == "0 5 * * * mine\n0 6 * * * mine too\n"
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(RefusedError, match="no cron"):
        crontab.block("one")


def test_held_ports_are_otherwise_the_same() -> None:
    ports = memory_stack()
    assert held(ports).name == ports.name
    assert held(ports).lock.identity() == ports.lock.identity()
