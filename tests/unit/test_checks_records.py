"""Records of the application: each fault is created, found with its evidence, and repaired if the check can do so.

Faults in rows of projects, users and jobs are tested in real databases: `tests/integration/test_rows_*.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from checks_world import YES, apply_edits, expect, found, healthy, ids, the, with_busy_workers
from qfc.checks import EVERYTHING, FOR_SYNC, Severity
from qfc.errors import CommandError
from qfc.operations.guard import Options
from qfc.operations.sync_diagnose import diagnose
from qfc.stack.findings import Result
from qfc.stack.model import DatabaseStatus, Subscription
from qfc.stack.model.conditions import StuckSession
from queue_world import MemoryWorld
from twins import MemoryPorts

Make = Callable[[MemoryPorts, MemoryWorld], None]


def refused_by_the_plan(ports: MemoryPorts, world: MemoryWorld) -> None:
    ports.directory.subscriptions["alice"] = Subscription("community", "active_paid", 10**8, 0, None, False)
    feedback = {"error": "permission_denied_plan_insufficient"}
    world.job(world.project("refused"), "failed", started=5, ended=4, feedback=feedback)


def stuck(ports: MemoryPorts, world: MemoryWorld) -> None:
    del world
    ports.conditions.server.stuck = (StuckSession("idle", "psql", 1800.0), StuckSession("idle", "app", 30.0))


def few_connections(ports: MemoryPorts, world: MemoryWorld) -> None:
    del world
    ports.directory.status = DatabaseStatus("15", 0, 95, 100)


def migrations_pending(ports: MemoryPorts, world: MemoryWorld) -> None:
    del world
    ports.directory.migrations = ("core.0001", "core.0002")
    known = ("core.0001", "core.0002", "core.0003")

    def migrations(service: str, argv: Sequence[str], stdin: bytes) -> str:
        del service, stdin
        if argv[0] == "migrate":
            assert tuple(argv) == ("migrate", "--noinput")
            ports.directory.migrations = known
        return "\n".join(f"[{'X' if name in ports.directory.migrations else ' '}]  {name}" for name in known)

    ports.runtime.execute_with = migrations


def database_new(ports: MemoryPorts, world: MemoryWorld) -> None:
    migrations_pending(ports, world)
    ports.directory.migrations = ()


def geodb_in_use(ports: MemoryPorts, world: MemoryWorld) -> None:
    del world
    ports.directory.tables["core_geodb"] = 3


def expired_sessions(ports: MemoryPorts, world: MemoryWorld) -> None:
    del world
    ports.conditions.server.expired = 60_000

    def clear(service: str, argv: Sequence[str], stdin: bytes) -> str:
        del service, stdin
        if argv[0] == "clearsessions":
            ports.conditions.server.expired = 0
        return ""

    ports.runtime.execute_with = clear


def audit_log(ports: MemoryPorts, world: MemoryWorld) -> None:
    del world
    now, server = ports.clock.now(), ports.conditions.server
    server.audited = (now - timedelta(days=400),) * 60_000 + (now - timedelta(days=300),) * 60_000

    def flush(service: str, argv: Sequence[str], stdin: bytes) -> str:
        del service, stdin
        if argv[0] == "auditlogflush":
            assert list(argv[1:3]) == ["--yes", "--before-date"]
            day = datetime.fromisoformat(argv[3]).replace(tzinfo=UTC)
            server.audited = tuple(one for one in server.audited if one >= day)
        return ""

    ports.runtime.execute_with = flush


def cron_log(ports: MemoryPorts, world: MemoryWorld) -> None:
    del world
    now = ports.clock.now()
    ports.conditions.server.ran = (now - timedelta(days=40),) * 50_001 + (now,)


def lost_over_quota(ports: MemoryPorts, world: MemoryWorld) -> None:
    with_busy_workers(ports, lambda: apply_edits(ports))
    project = world.project("full")
    failed = world.job(
        project, "failed", type="delta_apply", started=5, ended=4, feedback={"error_type": "API_PAYMENT_REQUIRED"}
    )
    world.delta(project, "not_applied", job=failed)


#: By check: how the fault is created, words of the evidence, and faults that come with it.
FAULTS: Mapping[str, tuple[Make, str, tuple[str, ...]]] = {
    "A13-pending": (migrations_pending, "1 of 3 migrations are not applied: core.0003", ()),
    "A13-new": (database_new, "None of the 3 migrations", ("A13",)),
    "connections": (few_connections, "95 of 100", ()),
    "D12-locks": (stuck, "1 for up to 30 min: psql idle", ()),
    "F08": (lost_over_quota, "1 edit in alice/full", ("F09", "H03-jobs")),
    "sessions": (expired_sessions, "60000 sessions have ended", ()),
    "audit-log": (audit_log, "60000 entries are older than a year", ()),
    "cron-log": (cron_log, "50001 runs are older than 30 days", ()),
    "I01": (geodb_in_use, "3 rows", ()),
}


@pytest.mark.parametrize("id", FAULTS)
def test_a_fault_is_found_with_its_evidence_and_repaired_where_that_is_promised(id: str) -> None:
    ports, world = healthy()
    make, evidence, others = FAULTS[id]
    make(ports, world)
    expect(ports, id, evidence, others)


def test_what_keeps_a_sync_from_its_end_is_looked_at_before_one() -> None:
    for_sync = {check.id for check in FOR_SYNC}
    assert {"A13-pending", "D12-readonly", "D08-cron", "F09-overtaken", "G09", "H02", "E11"} <= for_sync
    assert not {"C06", "C10", "C13", "E08", "H05", "I01", "A13-superuser"} & for_sync


def test_a_plan_that_refused_a_job_is_found_where_nobody_knows_layers() -> None:
    ports, world = healthy()
    refused_by_the_plan(ports, world)
    assert "alice/refused" in the(found(ports), "H02").evidence
    ports.directory.subscriptions["alice"] = Subscription("community", "active_paid", 10**8, 0, None, True)
    assert "H02" not in ids(found(ports))


def test_a_deployment_is_dumped_before_it_is_migrated() -> None:
    ports, world = healthy("compose")
    migrations_pending(ports, world)
    questions: list[str] = []

    def ask(question: str) -> bool:
        questions.append(question)
        return True

    made = diagnose(ports, EVERYTHING, Options(ask=ask), fix=True, proof=False)
    assert the(made, "A13-pending").result is Result.FIXED
    (dump,) = ports.deployment.site.dumps
    assert f"keep a dump of the present database in {dump}" in questions[0]
    assert ports.deployment.site.dumps[dump][0]["migrations"] == ("core.0001", "core.0002")


def test_a_deployment_that_cannot_be_dumped_is_not_migrated() -> None:
    ports, world = healthy("compose")
    migrations_pending(ports, world)
    assert ports.containers is not None
    object.__setattr__(ports.containers.dumps, "may_dump", "the database is elsewhere")
    finding = the(found(ports, fix=True), "A13-pending")
    assert finding.result is Result.FAILED
    assert "the database is elsewhere" in finding.evidence
    assert ports.directory.migrations == ("core.0001", "core.0002")


def test_known_seals_of_a_new_server_are_replaced_before_the_tables_are_made() -> None:
    ports, world = healthy("compose")
    site = ports.deployment.site
    site.env = site.env.replace("SECRET_KEY=a-b-c", "SECRET_KEY=change_me\nSALT_KEY=0123456789abcdef")
    assert "A10" in ids(found(ports))
    assert "A10-new" not in ids(found(ports))
    database_new(ports, world)
    assert "SECRET_KEY, SALT_KEY" in the(found(ports), "A10-new").evidence
    made = found(ports, fix=True)
    values = ports.deployment.settings.values()
    assert (the(made, "A10-new").result, the(made, "A13-new").result) == (Result.FIXED, Result.FIXED)
    assert all(len(values[name]) >= 40 and values[name] not in str(made) for name in ("SECRET_KEY", "SALT_KEY"))
    assert not {"A10", "A10-new", "A10-passwords"} & set(ids(found(ports)))


def test_edits_are_not_applied_again_before_there_is_space() -> None:
    ports, world = healthy()
    lost_over_quota(ports, world)
    alice = ports.directory.user_rows["alice"]
    ports.directory.user_rows["alice"] = replace(alice, storage_used_bytes=2 * 10**8)
    wanted = [check for check in EVERYTHING if check.id == "F08"]
    made = diagnose(ports, wanted, YES, fix=True, proof=False)
    assert the(made, "F08").result is Result.FAILED
    assert "The quota is still used up: alice." in the(made, "F08").evidence


def test_accounts_become_active_by_the_plan_that_they_have() -> None:
    ports, _ = healthy()
    ports.directory.subscriptions["alice"] = Subscription("community", "inactive_draft", 10**8, 7, None, True)
    (check,) = [check for check in EVERYTHING if check.id == "H01"]
    asked: list[str] = []
    diagnose(ports, [check], Options(ask=lambda question: not asked.append(question)), fix=True, proof=False)
    assert "alice, plan community: inactive_draft → active_paid" in asked[0]
    known = ports.directory.subscription("alice")
    assert known is not None
    assert (known.plan, known.status, known.added_bytes) == ("community", "active_paid", 7)


def test_an_application_that_does_not_answer_is_no_missing_migration() -> None:
    ports, _ = healthy()

    def refuse(service: str, argv: Sequence[str], stdin: bytes) -> str:
        del service, argv, stdin
        raise CommandError("showmigrations ended with exit code 1")

    ports.runtime.execute_with = refuse
    made = found(ports)
    assert {(finding.id, finding.severity, finding.result) for finding in made.findings} == {
        ("A13-pending", Severity.INFO, Result.SKIPPED),
        ("A13-new", Severity.INFO, Result.SKIPPED),
    }
