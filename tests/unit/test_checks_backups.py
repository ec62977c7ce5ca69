"""The diagnosis and backups: quiet while all is well, one finding for each way in which it is not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from backup_world import NOW, a_set, bad, well
from checks_world import healthy
from qfc.checks import Evidence
from qfc.checks.backups import BACKUPS
from qfc.stack.backup_health import BackupState, Drill
from qfc.stack.findings import Auto, Result
from twins.backups import MemoryBackups

DAY = timedelta(days=1)


def moved(now: datetime) -> BackupState:
    """Return a good state, as seen from `now` in place of NOW."""
    shift = now - NOW
    sets = tuple(replace(one, taken_at=one.taken_at + shift) for one in (a_set(1, DAY), a_set(2, 2 * DAY)))
    drill = Drill("x", now - DAY, True, 9)
    return BackupState(sets, well(*sets), (), drill, "age1x", True, place="/backup")


FAULTS: Mapping[str, str] = {
    "I05": "none",
    "I05-old": "old",
    "I05-smaller": "smaller",
    "I05-damaged": "damaged",
    "I05-drill": "drill",
    "I05-key": "key",
}


def broken(fault: str, now: datetime) -> BackupState:
    good = moved(now)
    newest, other = good.manifests
    match fault:
        case "none":
            return BackupState(place="/backup", born_at=now - 90 * DAY)
        case "old":
            sets = tuple(replace(one, taken_at=one.taken_at - 9 * DAY) for one in good.manifests)
            return replace(good, manifests=sets)
        case "smaller":
            small = a_set(1, DAY, size=10)
            sets = (replace(newest, parts=small.parts), other)
            return replace(good, manifests=sets)
        case "damaged":
            return replace(good, verdicts={**good.verdicts, **bad(other, "gone")})
        case "drill":
            return replace(good, drill=Drill("x", now - 8 * DAY, True, 9))
        case _:
            return replace(good, recipient=None)


def found(state: BackupState | None) -> list[str]:
    ports = healthy()[0]
    if state is not None:
        ports = replace(ports, backup_records=MemoryBackups(state))
    seen = Evidence(ports)
    return [one.id for check in BACKUPS if (one := check.examine(seen)).result is Result.FOUND]


def test_fresh_whole_tried_backups_are_not_worth_a_word() -> None:
    assert found(moved(healthy()[0].clock.now())) == []


def test_a_new_stack_is_not_worth_a_word_either() -> None:
    assert found(None) == []


@pytest.mark.parametrize("id", FAULTS)
def test_each_fault_is_found_by_its_check_alone(id: str) -> None:
    assert found(broken(FAULTS[id], healthy()[0].clock.now())) == [id]


def test_deployments_are_asked_too() -> None:
    seen = Evidence(healthy("compose")[0])
    assert all(check.examine(seen).result is Result.CLEAR for check in BACKUPS)


def test_a_backup_over_ssh_is_asked_for_first() -> None:
    """All of the database and the files is copied to this machine for it."""
    state = broken("none", healthy()[0].clock.now())
    autos = {}
    for kind, host in (("embedded", "memory"), ("compose", "local"), ("compose", "ops@server:22")):
        ports = replace(healthy(kind)[0], backup_records=MemoryBackups(state))
        ports.host.name = host
        seen = Evidence(ports)
        autos[kind, host] = (BACKUPS[0].examine(seen).auto, BACKUPS[0].difference(seen))
    line = "copies database and files of ops@server:22 over SSH to this machine, into /backup"
    assert autos == {
        ("embedded", "memory"): (Auto.SAFE, ()),
        ("compose", "local"): (Auto.SAFE, ()),
        ("compose", "ops@server:22"): (Auto.ASK, (line,)),
    }
