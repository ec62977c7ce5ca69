"""What the database tells of problems: each fault is made, found with its evidence, repaired where that is promised."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from checks_world import YES, found, healthy, ids, the
from conditions_world import store
from qfc.checks import EVERYTHING, FOR_SYNC, Auto, Severity
from qfc.errors import CommandError
from qfc.operations.findings import Result
from qfc.operations.guard import Options
from qfc.operations.sync_diagnose import diagnose
from qfc.stack.model import DatabaseStatus, Project, Revision, Subscription, User
from qfc.stack.model.conditions import CronRun, PlacesTaken, PlanLimits, StuckSession
from qfc.stack.rollout import Record, as_document
from queue_world import NOW, MemoryWorld, before
from twins import MemoryConditions, MemoryPorts

Make = Callable[[MemoryPorts, MemoryWorld], None]
PLAN = PlanLimits("community", True, "active_paid", 10**8, True, -1, -1, 1)
OLD_SECRET, NEW_SECRET = "s3cret-old-key", "s3cret-new-key"


def stored(ports: MemoryPorts, world: MemoryWorld, project: str, name: str, *sizes: int) -> str:
    """Store a file in a project that counts its bytes."""
    known = [one.id for one in ports.directory.project_rows.values() if one.name == project]
    made = known[0] if known else world.project(project)
    world.conditions = ports.conditions
    store(world, made, name, *sizes)
    total = sum(sum(file.sizes) for file in ports.conditions.stored if file.project_id == made)
    ports.directory.project_rows[made] = replace(ports.directory.project_rows[made], size_bytes=total)
    return made


def file(name: str, *sizes: int, project: str = "files") -> Make:
    def make(ports: MemoryPorts, world: MemoryWorld) -> None:
        stored(ports, world, project, name, *(sizes or (100,)))

    return make


def two_project_files(ports: MemoryPorts, world: MemoryWorld) -> None:
    stored(ports, world, "files", "one.qgs", 100)
    stored(ports, world, "files", "two.qgz", 100)


def miscounted(ports: MemoryPorts, world: MemoryWorld) -> None:
    made = stored(ports, world, "files", "a.csv", 2_000_000, 3_000_000)
    rows = ports.directory.project_rows
    rows[made] = replace(rows[made], size_bytes=1_000_000)

    def count(service: str, argv: Sequence[str], stdin: bytes) -> str:
        del stdin
        assert (service, tuple(argv)) == ("app", ("calcprojectstorage", made, "--force-recalculate"))
        rows[made] = replace(rows[made], size_bytes=5_000_000)
        return ""

    answering(ports, "calcprojectstorage", count)


def answering(ports: MemoryPorts, name: str, answer: Callable[[str, Sequence[str], bytes], str]) -> None:
    """Let the application know one more command."""
    known = ports.runtime.execute_with

    def execute(service: str, argv: Sequence[str], stdin: bytes) -> str:
        return (answer if argv[0] == name else known)(service, argv, stdin)

    ports.runtime.execute_with = execute


def attachment_missing(ports: MemoryPorts, world: MemoryWorld) -> None:
    made = stored(ports, world, "files", "DCIM/there.jpg", 100)
    delta = world.delta(made, "applied", made=90)
    content = {"method": "create", "new": {"files_sha256": {"DCIM/there.jpg": "a", "DCIM/lost.jpg": "b"}}}
    ports.jobs.delta_rows[delta] = replace(ports.jobs.delta_rows[delta], content=content)


def no_superuser(ports: MemoryPorts, world: MemoryWorld) -> None:
    del world
    ports.conditions.superuser_names.clear()


def locked_out(ports: MemoryPorts, world: MemoryWorld) -> None:
    del world
    ports.conditions.attempts = [("alice", before(5))] * 5 + [("stranger", before(5))] * 50

    def reset(service: str, argv: Sequence[str], stdin: bytes) -> str:
        del stdin
        assert (service, tuple(argv)) == ("app", ("axes_reset_username", "--", "alice"))
        ports.conditions.attempts = []
        return ""

    answering(ports, "axes_reset_username", reset)


def inactive_by_default(ports: MemoryPorts, world: MemoryWorld) -> None:
    del world
    ports.conditions.plans = (replace(PLAN, initial_status="inactive_draft"), replace(PLAN, is_default=False))


def plan_insufficient(ports: MemoryPorts, world: MemoryWorld) -> None:
    world.project("online")
    ports.conditions.online_names, ports.conditions.plans = ("alice/online",), (PLAN,)
    ports.directory.subscriptions["alice"] = Subscription("community", "active_paid", 10**8, 0, None, False)


def refused_by_the_plan(ports: MemoryPorts, world: MemoryWorld) -> None:
    plan_insufficient(ports, world)
    ports.conditions.online_names = None
    feedback = {"error": "permission_denied_plan_insufficient"}
    world.job(world.project("refused"), "failed", started=5, ended=4, feedback=feedback)


def quota_soon(ports: MemoryPorts, world: MemoryWorld) -> None:
    del world
    ports.directory.user_rows["bob"] = User("bob", "b@x", "person", False, True, None, 92 * 10**6, 10**8)
    ports.directory.project_rows["p"] = Project("p", "big", "bob", "ok", 1, 92 * 10**6, None, None)
    world_of = MemoryWorld(ports.jobs, ports.directory)
    world_of.conditions = ports.conditions
    store(world_of, "p", "a.gpkg", 52 * 10**6, 40 * 10**6)


def places_taken(ports: MemoryPorts, world: MemoryWorld) -> None:
    del world
    ports.conditions.plans = (PLAN,)
    ports.conditions.full = (PlacesTaken("club", "members", 5, 5, "community"),)


def read_only(ports: MemoryPorts, world: MemoryWorld) -> None:
    del world
    ports.conditions.read_only = True


def stuck(ports: MemoryPorts, world: MemoryWorld) -> None:
    del world
    ports.conditions.stuck = (StuckSession("idle", "psql", 1800.0), StuckSession("idle", "app", 30.0))


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


def cron_stopped(ports: MemoryPorts, world: MemoryWorld) -> None:
    world.job(world.project("waits"), made=2)
    ports.conditions.crons = {"clean_up": CronRun("clean_up", before(30), before(30))}
    ports.runtime._wanted["ofelia"] = 1  # pyright: ignore[reportPrivateUsage]
    ports.runtime._running["ofelia"] = {}  # pyright: ignore[reportPrivateUsage]

    def run(service: str, argv: Sequence[str], stdin: bytes) -> str:
        del service, stdin
        assert ports.runtime._running["ofelia"], argv  # pyright: ignore[reportPrivateUsage]
        ports.conditions.crons = {"clean_up": CronRun("clean_up", NOW, NOW)}
        return ""

    answering(ports, "runcrons", run)


def geodb_in_use(ports: MemoryPorts, world: MemoryWorld) -> None:
    del world
    ports.directory.tables["core_geodb"] = 3


def overtaken(ports: MemoryPorts, world: MemoryWorld) -> None:
    del ports
    project = world.project("overtaken")
    failed = world.job(project, "failed", type="delta_apply", made=60, started=59, ended=58)
    world.delta(project, "error", job=failed)
    world.job(project, "finished", made=31, started=30, ended=29)


def lost_over_quota(ports: MemoryPorts, world: MemoryWorld) -> None:
    del ports
    project = world.project("full")
    failed = world.job(
        project, "failed", type="delta_apply", started=5, ended=4, feedback={"error_type": "API_PAYMENT_REQUIRED"}
    )
    world.delta(project, "not_applied", job=failed)


def unpermitted(ports: MemoryPorts, world: MemoryWorld) -> None:
    del ports
    world.delta(world.project("edited"), "unpermitted")


def backlog(ports: MemoryPorts, world: MemoryWorld) -> None:
    del ports
    project = world.project("busy")
    for _ in range(1001):
        world.delta(project, "pending", made=2)


def storm(ports: MemoryPorts, world: MemoryWorld) -> None:
    del ports
    project = world.project("storm")
    for number in range(21):
        world.job(project, "finished", type="process_projectfile", made=100 + number, started=90, ended=89)


def slow(ports: MemoryPorts, world: MemoryWorld) -> None:
    del ports
    world.job(world.project("slow"), "finished", made=60, started=60, ended=51)


def four(ports: MemoryPorts, world: MemoryWorld) -> None:
    del world
    ports.deployment.site.env += "QFIELDCLOUD_QGIS3_IMAGE_NAME=memory-app\n"
    ports.conditions.versions = {"alice/survey": "3.40.6-Bratislava", "alice/new": "4.0.1-Norrköping"}


def legacy(ports: MemoryPorts, world: MemoryWorld) -> None:
    del world
    env = ports.deployment.site.env.replace('{"BACKEND": "s3"}', '{"BACKEND": "s3"}, "old": {"QFC_IS_LEGACY": true}')
    ports.deployment.site.env = env
    ports.conditions.stores = {"default": 7, "old": 2}


def another_key(ports: MemoryPorts, world: MemoryWorld) -> None:
    del world
    deployed(ports, f"SECRET_KEY={OLD_SECRET}\n")
    ports.conditions.secrets_since = before(100)


def deployed(ports: MemoryPorts, env: str) -> None:
    """Write down a deployment of an hour ago, with the .env of before it."""
    revision = Revision("a" * 40, "v1")
    record = Record("1", "deploy", before(60), "anna@memory", revision, revision)
    ports.deployment.site.env = ports.deployment.site.env.replace("SECRET_KEY=a-b-c", f"SECRET_KEY={NEW_SECRET}")
    ports.deployment.records.write("deployments/1/record.json", as_document(record))
    ports.deployment.records.write_text("deployments/1/env", env)


#: By the check: how the fault is made, what the evidence has, and whether a fault of another check comes with it.
FAULTS: Mapping[str, tuple[Make, str, tuple[str, ...]]] = {
    "A13-superuser": (no_superuser, "none", ()),
    "A13-pending": (migrations_pending, "1 of 3 are not applied: core.0003", ()),
    "A13-new": (database_new, "None of 3", ("A13",)),
    "C10": (file("relief.tif", 3), "1 files: alice/files/relief.tif.", ()),
    "C12": (file("aux.csv"), "alice/files/aux.csv", ()),
    "C13": (miscounted, "alice/files (1.0 of 5.0 MB)", ()),
    "connections": (few_connections, "95 of 100", ()),
    "D08-cron": (cron_stopped, "30 min ago", ("A11-other",)),
    "D12-readonly": (read_only, "read-only", ()),
    "D12-locks": (stuck, "1 for up to 30 min: psql idle", ()),
    "D17": (storm, "alice/storm (21 within an hour)", ()),
    "E10": (slow, "Of 600 s: alice/slow (package 540 s)", ()),
    "E11": (two_project_files, "alice/files/one.qgs, alice/files/two.qgz", ()),
    "E12-hidden": (file("data/.cache"), "alice/files/data/.cache", ()),
    "E13": (file("survey.qgs", project="shared_datasets"), "alice/shared_datasets/survey.qgs", ()),
    "F08": (lost_over_quota, "1 edits in alice/full", ("F09", "H03-jobs")),
    "F09-overtaken": (overtaken, "1 of alice/overtaken", ("F09", "D14-jobs")),
    "F10": (unpermitted, "1 of alice/edited", ()),
    "F12": (backlog, "1001 of alice/busy", ()),
    "G06": (attachment_missing, "1 files of the last days: alice/files/DCIM/lost.jpg", ()),
    "G09": (locked_out, "alice.", ()),
    "H01-plan": (inactive_by_default, "community (inactive_draft)", ()),
    "H02": (plan_insufficient, "alice/online", ()),
    "H03-soon": (quota_soon, "bob 92%, old versions 52 MB", ()),
    "H05": (places_taken, "club (5 of 5 members)", ()),
    "I01": (geodb_in_use, "3 rows", ()),
}
#: Those that only a deployment can have.
OF_DEPLOYMENTS: Mapping[str, tuple[Make, str]] = {
    "C06": (legacy, "2 in old"),
    "E01-images": (four, "alice/new"),
    "E08": (another_key, "SECRET_KEY was another one"),
}


@pytest.mark.parametrize("id", FAULTS)
def test_a_fault_is_found_with_its_evidence_and_repaired_where_that_is_promised(id: str) -> None:
    ports, world = healthy()
    make, evidence, others = FAULTS[id]
    make(ports, world)
    made = found(ports)
    finding = the(made, id)
    assert evidence in finding.evidence
    assert {finding.id for finding in made.findings} == {id, *others}
    if finding.auto is Auto.NO:
        return
    planned = diagnose(ports, EVERYTHING, Options(dry_run=True), fix=True, proof=False)
    assert the(planned, id).result is Result.FOUND
    assert the(found(ports, fix=True), id).result is Result.FIXED
    assert id not in ids(found(ports))


@pytest.mark.parametrize("id", OF_DEPLOYMENTS)
def test_a_fault_of_a_deployment_is_found_and_no_secret_is_told(id: str) -> None:
    ports, world = healthy("compose")
    make, evidence = OF_DEPLOYMENTS[id]
    make(ports, world)
    made = found(ports)
    assert evidence in the(made, id).evidence
    assert "s3cret" not in str(made)


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
    assert f"the database of before is kept as {dump}" in questions[0]
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


def test_a_cron_that_is_at_rest_is_no_fault_without_work_or_before_its_first_run() -> None:
    ports, world = healthy()
    ports.conditions.crons = {"clean_up": CronRun("clean_up", before(30), None)}
    assert found(ports).findings == ()
    world.job(world.project("waits"), made=2)
    ports.conditions.crons = {}
    assert found(ports).findings == ()
    ports.conditions.crons = None
    assert found(ports).findings == ()


def test_a_cron_that_nothing_begins_is_told_and_not_repaired() -> None:
    ports, world = healthy()
    cron_stopped(ports, world)
    del ports.runtime._wanted["ofelia"]  # pyright: ignore[reportPrivateUsage]
    finding = the(found(ports, fix=True), "D08-cron")
    assert finding.result is Result.FAILED
    assert "no service ofelia" in finding.evidence


def test_edits_are_not_applied_again_before_there_is_space() -> None:
    ports, world = healthy()
    lost_over_quota(ports, world)
    alice = ports.directory.user_rows["alice"]
    ports.directory.user_rows["alice"] = replace(alice, storage_used_bytes=2 * 10**8)
    wanted = [check for check in EVERYTHING if check.id == "F08"]
    made = diagnose(ports, wanted, YES, fix=True, proof=False)
    assert the(made, "F08").result is Result.FAILED
    assert "alice has no space yet" in the(made, "F08").evidence


def test_keys_are_compared_only_where_secrets_are_older_than_the_copy() -> None:
    ports, _ = healthy("compose")
    deployed(ports, f"SECRET_KEY={OLD_SECRET}\n")
    assert found(ports).findings == ()
    ports.conditions.secrets_since = before(10)
    assert found(ports).findings == ()
    ports.deployment.records.write_text("deployments/1/env", f"SECRET_KEY={NEW_SECRET}\nSALT_KEY=\n")
    ports.conditions.secrets_since = before(100)
    assert found(ports).findings == ()


def test_workers_that_start_no_image_need_none_of_qgis_four() -> None:
    ports, _ = healthy("compose")
    ports.conditions.versions = {"alice/new": "4.0.1"}
    assert found(ports).findings == ()
    ports.deployment.site.env += "QFIELDCLOUD_QGIS3_IMAGE_NAME=x\nQFIELDCLOUD_QGIS4_IMAGE_NAME=y\n"
    assert "E01-images" not in ids(found(ports))


def test_the_image_of_qgis_four_is_named_like_that_of_three_once_it_was_pulled() -> None:
    ports, world = healthy("compose")
    site = ports.deployment.site
    four(ports, world)
    advice = the(found(ports, fix=True), "E01-images")
    assert (advice.result, "QFIELDCLOUD_QGIS4_IMAGE_NAME" in site.env) == (Result.FOUND, False)
    site.env = site.env.replace("QGIS3_IMAGE_NAME=memory-app", "QGIS3_IMAGE_NAME=registry.example/qgis3:26.6")
    site.registry = ("registry.example/qgis3:26.6",)
    ports.deployment.images.fetch(site.registry[0])
    failed = the(found(ports, fix=True), "E01-images")
    assert (failed.result, "QFIELDCLOUD_QGIS4_IMAGE_NAME" in site.env) == (Result.FAILED, False)
    site.registry = ("registry.example/qgis4:26.6",)
    assert the(found(ports, fix=True), "E01-images").result is Result.FIXED
    assert ports.deployment.settings.values()["QFIELDCLOUD_QGIS4_IMAGE_NAME"] == "registry.example/qgis4:26.6"
    assert found(ports).findings == ()


def test_what_a_server_does_not_keep_is_no_fault() -> None:
    ports, world = healthy()
    for make in (inactive_by_default, places_taken, slow, locked_out):
        make(ports, world)
    kept: MemoryConditions = ports.conditions
    kept.plans = kept.full = kept.limit_s = kept.attempts = kept.stores = kept.versions = kept.online_names = None
    assert found(ports).findings == ()


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


def test_old_faults_are_forgotten() -> None:
    ports, world = healthy()
    for make in (overtaken, unpermitted, storm, slow):
        make(ports, world)
    for name, job in ports.jobs.job_rows.items():
        ports.jobs.job_rows[name] = replace(job, created_at=job.created_at - timedelta(days=31))
    for name, delta in ports.jobs.delta_rows.items():
        ports.jobs.delta_rows[name] = replace(delta, created_at=delta.created_at - timedelta(days=31))
    assert {finding.id for finding in found(ports).findings} == {"F09", "D14-jobs"}
