"""One command protects a stack: the plan, what stays of the operator's, failures, kills, and what goes missing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import cast

import pytest

from checks_world import YES, found, healthy
from qfc.cli.main import run
from qfc.errors import PartlyDoneError, QfcError, RefusedError
from qfc.operations.guard import Options, guarded
from qfc.operations.maintenance.schedule import install_timers
from qfc.operations.monitor.install import install_monitor_line, monitor_install
from qfc.operations.protect import protect, protection_shown, undo
from qfc.operations.protect import run as running
from qfc.operations.protect.look import PartIs
from qfc.operations.ratelimit import ratelimit_enable, ratelimit_throttle
from qfc.operations.stacks_remove import stacks_remove
from qfc.operations.status import status
from qfc.stack import journal
from qfc.stack.findings import Result
from qfc.stack.maintenance import JOBS
from qfc.stack.maintenance.schedule import SchedulePlan, cron_lines
from qfc.stack.monitor_unit import CRON, NAME, MonitorPlan, watched
from qfc.stack.protection import NAMES, BackupsPart, LimitsPart, MonitorPart, Part, SchedulePart, read
from qfc.stack.rate_limits import RateLimits
from twins import MemoryPorts
from twins.here import FolderUnits, MemoryHere

ENVIRONMENT = {"QFC_CONFIG": "/etc/qfc/config.toml", "QFC_HOME": "/srv/qfc"}
TIMES = {job.name: "02:00" for job in JOBS}
PLAN = MonitorPlan(("/opt/qfc", "-m", "qfc"), ("memory",), environment=ENVIRONMENT)
OURS = "# mine\n\n[monitor]\nlook_seconds = 20\n"


class Kill(BaseException):
    """The end of the process: nothing else of ours runs."""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "config.toml"
    path.write_text(OURS)
    return path


@pytest.fixture(params=[False, True], ids=["systemd", "cron"])
def by_cron(request: pytest.FixtureRequest) -> bool:
    return request.param


@pytest.fixture
def ports(tmp_path: Path) -> MemoryPorts:
    return replace(healthy()[0], here=MemoryHere(folder=tmp_path / "units"))


def schedule(ports: MemoryPorts) -> SchedulePlan:
    return SchedulePlan(ports.name, PLAN.program, TIMES, environment=ENVIRONMENT)


def parts(ports: MemoryPorts, config: Path, *, by_cron: bool = False) -> tuple[Part, ...]:
    plan = replace(PLAN, stacks=(ports.name,))
    return (
        MonitorPart(ports.name, plan, by_cron),
        LimitsPart(10, 5),
        SchedulePart(schedule(ports), by_cron, is_system=False),
        BackupsPart(str(config), "folder", "/mnt/backup", "/mnt/backup/memory"),
    )


def seen(ports: MemoryPorts, config: Path) -> object:
    """Return everything that a protection may change, but the key of backups, which nothing takes back."""
    here = ports.here
    folder = here.units(system=False).path(".")
    units = {path.name: path.read_text() for path in sorted(folder.glob("qfc-*"))}
    blocks = here.crontab("").blocks
    kept = [ports.own_records.read("protect.json"), journal.read(ports.records)]
    return units, dict(blocks), ports.rate_limits.limits, config.read_text(), kept


def test_the_plan_is_shown_and_nothing_is_changed(ports: MemoryPorts, config: Path) -> None:
    before = seen(ports, config)
    planned = protect(ports, parts(ports, config), Options(dry_run=True))
    assert len(planned.steps) == 4
    assert [one.state for one in planned.parts] == [PartIs.MISSING] * 4 + [PartIs.PROTECTED]
    assert seen(ports, config) == before
    assert not ports.audit.entries(limit=9)


def test_one_command_protects_and_another_takes_it_back(ports: MemoryPorts, config: Path, by_cron: bool) -> None:
    before, wanted = seen(ports, config), parts(ports, config, by_cron=by_cron)
    done = protect(ports, wanted, Options())
    assert done.changed
    assert protection_shown(ports, wanted, ()).protected
    assert ports.rate_limits.limits == RateLimits(10, 5)
    assert 'folder = "/mnt/backup"' in config.read_text()
    assert (ports.here.crontab("").block(CRON) is not None) is by_cron
    assert (ports.here.units(system=False).text(NAME) is not None) is not by_cron
    protected = seen(ports, config)
    again = protect(ports, wanted, Options())
    assert (again.changed, again.steps) == (False, ())
    assert seen(ports, config) == protected
    undo(ports, Options())
    assert seen(ports, config) == before
    assert not undo(ports, Options()).changed


def test_what_the_operator_had_before_stays(ports: MemoryPorts, config: Path) -> None:
    ports.directory.project_rows["1"] = healthy()[1].directory.projects()[0]
    ratelimit_enable(ports, Options(), all_per_minute=30, project_per_minute=9)
    install_timers(ports, schedule(ports), ports.here.units(system=False), Options())
    monitor_install(ports.here.units(system=True), replace(PLAN, stacks=(), is_system=True), Options())
    ports.backups.keys.create()
    config.write_text('[backup]\nfolder = "/mine"\n')
    before = seen(ports, config)
    done = protect(ports, parts(ports, config), Options())
    assert not done.changed
    assert {one.state for one in done.parts if one.name in NAMES} == {PartIs.YOURS}
    undo(ports, Options())
    assert seen(ports, config) == before


def test_throttled_projects_stay_throttled(ports: MemoryPorts, config: Path) -> None:
    project = ports.directory.projects()[0].id
    ratelimit_throttle(ports, project, Options(), rate="1", lasting=None)
    had = ports.rate_limits.limits
    protect(ports, parts(ports, config), Options())
    undo(ports, Options())
    assert ports.rate_limits.limits == had


def failing(monkeypatch: pytest.MonkeyPatch, at: str, error: BaseException) -> None:
    """Let the step of one part end after it has changed something."""
    put = running.put

    def broken(part: Part, ports: MemoryPorts, options: Options) -> None:
        put(part, ports, options)
        if part.name == at:
            raise error

    monkeypatch.setattr(running, "put", broken)


@pytest.mark.parametrize("at", NAMES)
def test_a_step_that_fails_leaves_everything_as_before(
    ports: MemoryPorts, config: Path, at: str, by_cron: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = seen(ports, config)
    failing(monkeypatch, at, QfcError("The disk is full."))
    with pytest.raises(QfcError, match="memory is as before: The disk is full"):
        protect(ports, parts(ports, config, by_cron=by_cron), Options())
    assert seen(ports, config) == before


def killed(ports: MemoryPorts, wanted: tuple[Part, ...], at: str) -> None:
    """Begin a protection whose process ends at a part."""
    with pytest.MonkeyPatch.context() as patched:
        failing(patched, at, Kill())

        def nothing(*_: object) -> None:
            raise Kill

        patched.setattr(running, "put_back", nothing)
        with pytest.raises(Kill):
            protect(ports, wanted, Options())


@pytest.mark.parametrize("at", NAMES)
def test_a_protection_that_was_killed_is_taken_back_by_the_next_change(
    ports: MemoryPorts, config: Path, at: str, by_cron: bool
) -> None:
    before = seen(ports, config)
    killed(ports, parts(ports, config, by_cron=by_cron), at)
    assert ports.interrupted() == "protect"
    with guarded(ports, "users create", target="anna", options=Options()):
        assert seen(ports, config) == before


def test_protect_itself_begins_again_after_a_kill(ports: MemoryPorts, config: Path) -> None:
    killed(ports, parts(ports, config), "limits")
    done = protect(ports, parts(ports, config), Options())
    assert (len(done.steps), ports.interrupted()) == (4, None)
    undo(ports, Options())
    assert config.read_text().strip() == OURS.strip()


def test_undo_that_was_killed_is_finished(ports: MemoryPorts, config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = seen(ports, config)
    protect(ports, parts(ports, config), Options())
    with monkeypatch.context() as patched:
        patched.setattr(ports.here.units(system=False), "uninstall", lambda *_, **__: throw(Kill()))
        with pytest.raises(Kill):
            undo(ports, Options())
    assert undo(ports, Options()).changed is False, "the lock is taken: what was begun is finished first"
    assert seen(ports, config) == before


def throw(error: BaseException) -> None:
    raise error


def test_another_machine_takes_back_what_it_reaches(ports: MemoryPorts, config: Path) -> None:
    killed(ports, parts(ports, config), "schedule")
    elsewhere = replace(ports, here=MemoryHere(name="other"), own_records=type(ports.own_records)())
    told: list[str] = []
    with guarded(elsewhere, "up", target="", options=Options(report=told.append)):
        pass
    assert "interrupted on memory. As anna there, type: qfc protect --undo" in told[0]
    assert ports.rate_limits.limits.is_empty
    assert ports.interrupted() is None
    undo(ports, Options())
    assert config.read_text().strip() == OURS.strip()


def test_a_part_that_cannot_be_taken_back_is_remembered(ports: MemoryPorts, config: Path) -> None:
    protect(ports, parts(ports, config), Options())
    ports.here.units(system=False).fails = NAME
    with pytest.raises(PartlyDoneError, match=r"the monitor: .* is refused"):
        undo(ports, Options())
    kept = read(ports.own_records)
    assert kept is not None
    assert set(kept.parts) == {"monitor"}
    ports.here.units(system=False).fails = ""
    undo(ports, Options())
    assert read(ports.own_records) is None


def test_what_cannot_be_done_is_refused_before_anything_changes(ports: MemoryPorts, config: Path) -> None:
    before = seen(ports, config)
    ports.here.units(system=False).works = False
    ports.rate_limits.refuses = "nginx includes no folder"
    with pytest.raises(RefusedError, match=r"limits on synchronisations: nginx includes no folder; .*systemd") as told:
        protect(ports, parts(ports, config), Options(dry_run=True))
    assert told.value.hint.endswith("qfc protect --without limits --without schedule --without monitor")
    with pytest.raises(RefusedError):
        protect(ports, parts(ports, config), Options())
    assert seen(ports, config) == before


def test_parts_that_were_left_out_stay_out(ports: MemoryPorts, config: Path) -> None:
    some = tuple(one for one in parts(ports, config) if one.name != "limits")
    done = protect(ports, some, Options(), without=["limits"])
    assert {one.name: one.state for one in done.parts}["limits"] is PartIs.LEFT_OUT
    kept = read(ports.own_records)
    assert kept is not None
    assert kept.without == ("limits",)
    with pytest.raises(RefusedError, match="Protected already: the monitor"):
        protect(ports, some, Options(), without=["monitor"])


REMOVED: dict[str, Callable[[MemoryPorts], object]] = {
    "nothing starts its monitor": lambda ports: ports.here.units(system=False).path(NAME).unlink(),
    "nothing starts its maintenance": lambda ports: [
        path.unlink() for path in ports.here.units(system=False).path(".").glob("*.timer")
    ],
    "synchronisations are not limited": lambda ports: ports.rate_limits.apply(RateLimits()),
    "its backups have no key": lambda ports: ports.backups.keys.discard(),
}


@pytest.mark.parametrize("clause", REMOVED)
def test_what_has_gone_is_found_and_put_in_place_again(ports: MemoryPorts, config: Path, clause: str) -> None:
    protect(ports, parts(ports, config), Options())
    whole = seen(ports, config)
    assert "protection" not in [one.id for one in found(ports).findings]
    REMOVED[clause](ports)
    (finding,) = [one for one in found(ports).findings if one.id == "protection"]
    assert clause in finding.evidence
    on_this_machine = "nothing starts" in clause
    assert any(clause in reason for reason in status(ports).reasons) is on_this_machine
    assert not protection_shown(ports, parts(ports, config), ()).protected
    (fixed,) = [one for one in found(ports, fix=True).findings if one.id == "protection"]
    assert fixed.result is Result.FIXED
    assert seen(ports, config) == whole


def test_a_crontab_of_another_account_is_not_missed(ports: MemoryPorts, config: Path) -> None:
    protect(ports, parts(ports, config, by_cron=True), Options())
    root = replace(ports, here=MemoryHere(account="root"))
    assert "protection" not in [one.id for one in found(root).findings]
    with pytest.raises(RefusedError, match="anna protected memory"):
        undo(root, Options())


def test_another_account_doubles_nothing(ports: MemoryPorts, config: Path, by_cron: bool) -> None:
    wanted = parts(ports, config, by_cron=by_cron)
    protect(ports, wanted, Options())
    root = replace(ports, here=MemoryHere(account="root", folder=config.parent / "of root"))
    ports.rate_limits.apply(RateLimits())
    before = seen(ports, config), seen(root, config)
    for options in (Options(), Options(dry_run=True)):
        with pytest.raises(RefusedError, match="anna protected memory"):
            protect(root, wanted, options)
    (finding,) = [one for one in found(root, fix=True).findings if one.id == "protection"]
    assert finding.result is not Result.FIXED
    assert (seen(ports, config), seen(root, config)) == before
    states = {one.name: one for one in protection_shown(root, wanted, ()).parts}
    assert (states["monitor"].state, states["schedule"].state) == (PartIs.UNKNOWN, PartIs.UNKNOWN)
    assert "only anna can look" in states["monitor"].detail


def test_root_leaves_a_configuration_of_somebody_else_alone(
    config: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("QFC_CONFIG", str(config))
    monkeypatch.setenv("QFC_HOME", str(config.parent))
    config.write_text("[stacks.memory]\n")
    monkeypatch.setattr("qfc.cli.protect.owner_of", lambda _: "anna")
    monkeypatch.setattr("os.geteuid", lambda: 0)
    before = sorted(config.parent.iterdir())
    for words in (["--dry-run", "protect"], ["--yes", "protect"]):
        assert run(words) == 4
        assert "belongs to anna" in capsys.readouterr().err
    assert sorted(config.parent.iterdir()) == before


def test_a_protected_stack_is_not_removed(ports: MemoryPorts, config: Path) -> None:
    config.write_text("[stacks.memory]\n")
    environment = {"QFC_CONFIG": str(config), "QFC_HOME": str(config.parent)}

    def remove() -> None:
        stacks_remove("memory", with_data=False, environment=environment, wire=lambda _: ports, options=YES)

    ports.runtime.stop(None)
    protect(ports, parts(ports, config), Options())
    with pytest.raises(RefusedError, match="memory is protected") as told:
        remove()
    assert told.value.hint == "Type first: qfc --stack memory protect --undo"
    undo(ports, Options())
    remove()
    assert "[stacks.memory]" not in config.read_text()


def test_two_stacks_share_a_monitor(ports: MemoryPorts, config: Path, by_cron: bool) -> None:
    other = replace(healthy()[0], name="other", here=ports.here)
    protect(ports, parts(ports, config, by_cron=by_cron), Options())
    protect(other, parts(other, config, by_cron=by_cron), Options())
    assert names(ports, by_cron) == ("memory", "other")
    undo(ports, Options())
    assert names(ports, by_cron) == ("other",)
    undo(other, Options())
    assert names(ports, by_cron) is None
    assert bool(ports.here.ended) is by_cron, "cron starts it again with its other stacks"


def names(ports: MemoryPorts, by_cron: bool) -> tuple[str, ...] | None:
    here = ports.here
    text = here.crontab("").block(CRON) if by_cron else here.units(system=False).text(NAME)
    return None if text is None else watched(text)


def test_a_monitor_of_another_configuration_is_left_alone(ports: MemoryPorts, config: Path) -> None:
    foreign = replace(PLAN, environment={**ENVIRONMENT, "QFC_CONFIG": "/home/bob/config.toml"})
    monitor_install(ports.here.units(system=False), foreign, Options())
    with pytest.raises(RefusedError, match="another configuration"):
        protect(ports, parts(ports, config), Options())


def test_a_monitor_that_watches_all_stacks_by_now_stays(ports: MemoryPorts, config: Path, by_cron: bool) -> None:
    protect(ports, parts(ports, config, by_cron=by_cron), Options())
    wide = replace(PLAN, stacks=())
    if by_cron:
        install_monitor_line(ports.here.crontab(""), wide, Options())
    else:
        monitor_install(ports.here.units(system=False), wide, Options())
    assert "the monitor stays" in undo(ports, Options()).stays[0]
    assert names(ports, by_cron) == ()


def test_the_only_key_stays_wherever_its_backups_are(ports: MemoryPorts, config: Path) -> None:
    """They may lie on a disk that is not mounted now, or where the configuration does not point any more."""
    protect(ports, parts(ports, config), Options())
    assert not ports.backups.store.manifests()
    (why,) = undo(ports, Options()).stays
    assert "key of the backups stays" in why
    assert ports.backups.keys.identity()
    assert config.read_text() == OURS


def test_a_place_with_backups_stays_in_the_configuration(ports: MemoryPorts, config: Path) -> None:
    protect(ports, parts(ports, config), Options())
    ports.backup_records.store.sets.append(object())  # pyright: ignore[reportArgumentType]  (its name is enough)
    (why,) = undo(ports, Options()).stays
    assert "since there are some in /backup" in why
    assert 'folder = "/mnt/backup"' in config.read_text()


def test_the_place_of_other_stacks_stays(ports: MemoryPorts, config: Path) -> None:
    done = protect(ports, parts(ports, config), Options())
    assert "holds for all its stacks" in done.steps[0]
    ports.here.with_keys = [ports.name, "other"]
    (why,) = undo(ports, Options()).stays
    assert "also that of other" in why
    assert 'folder = "/mnt/backup"' in config.read_text()


def test_a_place_that_failed_to_be_protected_is_taken_back_whoever_else_has_a_key(
    ports: MemoryPorts, config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ports.here.with_keys = ["other"]
    failing(monkeypatch, "monitor", QfcError("The disk is full."))
    with pytest.raises(QfcError, match="as before"):
        protect(ports, parts(ports, config), Options())
    assert config.read_text() == OURS


def test_undo_that_was_killed_leaves_the_place_of_other_stacks(ports: MemoryPorts, config: Path) -> None:
    protect(ports, parts(ports, config), Options())
    ports.here.with_keys = ["other"]
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(ports.here.units(system=False), "uninstall", lambda *_, **__: throw(Kill()))
        with pytest.raises(Kill):
            undo(ports, Options())
    undo(ports, Options())
    assert 'folder = "/mnt/backup"' in config.read_text()


def test_a_named_place_is_written_though_there_is_a_key(ports: MemoryPorts, config: Path) -> None:
    ports.backups.keys.create()
    wanted = parts(ports, config)
    assert protect(ports, wanted, Options()).changed
    assert 'folder = "/mnt/backup"' in config.read_text()
    assert undo(ports, Options()).stays == (), "the key was there before"
    assert config.read_text() == OURS


def test_a_place_that_is_named_later_is_written_and_taken_back(
    ports: MemoryPorts, config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usual = BackupsPart(str(config), None, None, "/usual")
    others = [one for one in parts(ports, config) if one.name != "backups"]
    protect(ports, [*others, usual], Options())
    with monkeypatch.context() as patched:
        failing(patched, "backups", QfcError("The disk is full."))
        with pytest.raises(QfcError, match="as before"):
            protect(ports, parts(ports, config), Options())
    assert config.read_text() == OURS
    (step,) = protect(ports, parts(ports, config), Options()).steps
    assert "/mnt/backup" in step
    assert 'folder = "/mnt/backup"' in config.read_text()
    undo(ports, Options())
    assert config.read_text() == OURS


@pytest.mark.parametrize("setting", ['folder = "/mnt/new"', 'sftp = "sftp://box/qfc"', 'repository = "/mnt/restic"'])
def test_a_place_that_somebody_chose_since_is_not_overwritten(ports: MemoryPorts, config: Path, setting: str) -> None:
    protect(ports, parts(ports, config), Options())
    moved = config.read_text().replace('folder = "/mnt/backup"', setting)
    config.write_text(moved)
    assert "protection" not in [one.id for one in found(ports).findings]
    ports.backups.keys.discard()
    found(ports, fix=True)
    assert ports.backups.keys.recipient()
    assert config.read_text() == moved
    undo(ports, Options())
    assert config.read_text() == moved


def test_a_place_that_was_taken_out_is_found_and_written_again(ports: MemoryPorts, config: Path) -> None:
    protect(ports, parts(ports, config), Options())
    whole = seen(ports, config)
    config.write_text(OURS)
    (finding,) = [one for one in found(ports).findings if one.id == "protection"]
    assert "or no place" in finding.evidence
    found(ports, fix=True)
    assert seen(ports, config) == whole


def test_limits_that_were_changed_since_stay(ports: MemoryPorts, config: Path) -> None:
    protect(ports, parts(ports, config), Options())
    ratelimit_enable(ports, Options(), all_per_minute=99, project_per_minute=9)
    assert "qfc ratelimit disable" in undo(ports, Options()).stays[0]
    assert ports.rate_limits.limits == RateLimits(99, 9)


def test_limits_that_nginx_has_lost_keep_the_numbers_of_the_operator(ports: MemoryPorts, config: Path) -> None:
    ratelimit_enable(ports, Options(), all_per_minute=30, project_per_minute=9)
    ports.rate_limits.recreated = True
    done = protect(ports, parts(ports, config), Options())
    assert "30 a minute in all, 9 a minute of each project" in " ".join(done.steps)
    assert (ports.rate_limits.limits, ports.rate_limits.in_force()) == (RateLimits(30, 9), True)
    assert {one.name: one.state for one in done.parts}["limits"] is PartIs.YOURS
    assert not protect(ports, parts(ports, config), Options()).changed
    ports.rate_limits.recreated = True
    found(ports, fix=True)
    assert (ports.rate_limits.limits, ports.rate_limits.in_force()) == (RateLimits(30, 9), True)
    undo(ports, Options())
    assert ports.rate_limits.limits == RateLimits(30, 9)


@pytest.mark.parametrize("lost", [False, True])
def test_limits_that_were_changed_since_are_not_overwritten(
    ports: MemoryPorts, config: Path, lost: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    protect(ports, parts(ports, config), Options())
    ratelimit_enable(ports, Options(), all_per_minute=99, project_per_minute=9)
    ports.rate_limits.recreated = lost
    with monkeypatch.context() as patched:
        failing(patched, "limits", QfcError("The disk is full."))
        if lost:
            with pytest.raises(QfcError, match="as before"):
                protect(ports, parts(ports, config), Options())
    ports.rate_limits.recreated = lost
    assert protect(ports, parts(ports, config), Options()).changed is lost
    assert (ports.rate_limits.limits, ports.rate_limits.in_force()) == (RateLimits(99, 9), True)


def test_new_numbers_of_the_configuration_replace_our_own(ports: MemoryPorts, config: Path) -> None:
    protect(ports, parts(ports, config), Options())
    wanted = [one for one in parts(ports, config) if one.name != "limits"]
    protect(ports, [*wanted, LimitsPart(20, 8)], Options())
    assert ports.rate_limits.limits == RateLimits(20, 8)
    undo(ports, Options())
    assert ports.rate_limits.limits.is_empty


DAILY = "qfc-memory-daily.timer"
PARTLY: dict[str, Callable[[FolderUnits], object]] = {
    "one timer is removed": lambda units: units.path(DAILY).unlink(),
    "one timer is disabled": lambda units: units.disabled.add(DAILY),
    "the monitor is disabled": lambda units: units.disabled.add(NAME),
}


def units_of(all_that_was_seen: object) -> object:
    assert isinstance(all_that_was_seen, tuple)
    return cast("tuple[object, ...]", all_that_was_seen)[0]


@pytest.mark.parametrize("what", PARTLY)
def test_what_has_gone_in_part_is_found_and_put_in_place_again(ports: MemoryPorts, config: Path, what: str) -> None:
    wanted, units = parts(ports, config), ports.here.units(system=False)
    protect(ports, wanted, Options())
    whole = seen(ports, config)
    for again in (lambda: protect(ports, wanted, Options()), lambda: found(ports, fix=True)):
        PARTLY[what](units)
        assert any("nothing starts its" in reason for reason in status(ports).reasons)
        assert not protection_shown(ports, wanted, ()).protected
        again()
        assert protection_shown(ports, wanted, ()).protected
        assert not units.disabled
        assert units_of(seen(ports, config)) == units_of(whole)


def test_some_timers_of_the_operator_are_enough(ports: MemoryPorts, config: Path) -> None:
    units = ports.here.units(system=False)
    install_timers(ports, schedule(ports), units, Options())
    units.path(DAILY).unlink()
    done = protect(ports, parts(ports, config), Options())
    assert {one.name: one.state for one in done.parts}["schedule"] is PartIs.YOURS
    assert "protection" not in [one.id for one in found(ports).findings]


def test_the_plan_after_a_kill_is_what_is_done_then(ports: MemoryPorts, config: Path) -> None:
    killed(ports, parts(ports, config), "monitor")
    planned = protect(ports, parts(ports, config), Options(dry_run=True))
    assert planned.steps[0] == "First take back what was begun and interrupted"
    done = protect(ports, parts(ports, config), Options())
    assert planned.steps[1:] == done.steps
    assert len(done.steps) == 4


def test_new_times_are_taken_over_and_still_taken_back(ports: MemoryPorts, config: Path, by_cron: bool) -> None:
    before = seen(ports, config)
    protect(ports, parts(ports, config, by_cron=by_cron), Options())
    later = replace(schedule(ports), times={**TIMES, "daily": "03:30", "cleanup": "off"})
    wanted = [one for one in parts(ports, config, by_cron=by_cron) if one.name != "schedule"]
    done = protect(ports, [*wanted, SchedulePart(later, by_cron, is_system=False)], Options())
    assert [step for step in done.steps if "03:30" in step]
    assert len(done.steps) == 1
    if by_cron:
        assert ports.here.crontab("").block(later.name) == cron_lines(later)
    undo(ports, Options())
    assert seen(ports, config) == before
