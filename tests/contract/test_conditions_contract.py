"""The conditions that every database reports: our node's, and those of official releases."""

from __future__ import annotations

from datetime import timedelta

import pytest

from conditions_world import announce, bare_project, count_bytes, keeps_files, store, superuser, wrong_password
from qfc.errors import NotFoundError
from qfc.stack.model.conditions import (
    FileTrouble,
    FoundFile,
    LongJobs,
    Miscount,
    OldVersions,
    PlanChange,
    ProjectCount,
)
from queue_world import DatabaseWorld, before, moment

DAY = moment() - timedelta(days=1)
TROUBLES = {
    FileTrouble.TINY: (("relief.tif", 3), ("data/trees.GPKG", 0), ("map.mbtiles", 15)),
    FileTrouble.RESERVED: (
        ("photo:1.jpg", 9),
        ("a?.txt", 9),
        ("aux.txt", 9),
        ("data/Con/x.csv", 9),
        ("data./x.csv", 9),
        ("blank ", 9),
        ("back\\slash", 9),
        ("u" * 255 + "ü/x.csv", 9),
    ),
    FileTrouble.HIDDEN: ((".hidden", 9), ("data/.cache/x", 9)),
    FileTrouble.SECOND_PROJECT: (("one.qgs", 9), ("old/two.QGZ", 9)),
}
HARMLESS = (
    ("survey.qgs", 20),
    ("relief.tif", 16),
    ("empty.txt", 0),
    ("data/trees.gpkg", 98304),
    ("console.txt", 9),
    ("auxiliary/x.y.csv", 9),
    ("survey.qgs~", 9),
    ("DCIM/photo 1.jpg", 9),
)


@pytest.fixture
def world(database_world: DatabaseWorld) -> DatabaseWorld:
    """Rows in a database of each kind."""
    return database_world


@pytest.mark.parametrize("trouble", TROUBLES)
def test_files_with_a_trouble(world: DatabaseWorld, trouble: FileTrouble) -> None:
    if not keeps_files(world):
        assert world.conditions.files.with_trouble(trouble) is None
        return
    good, bad = world.project("good"), bare_project(world, "bad")
    for name, size in HARMLESS:
        store(world, good, name, size)
    for name, size in TROUBLES[trouble]:
        store(world, bad, name, 10**6, size)
    found = world.conditions.files.with_trouble(trouble)
    assert found is not None
    expected = {FoundFile("alice/bad", name, size) for name, size in TROUBLES[trouble]}
    assert (set(found), len(found)) == (expected, len(expected))


def test_a_project_file_among_shared_datasets(world: DatabaseWorld) -> None:
    if not keeps_files(world):
        return
    store(world, world.project("survey"), "survey.qgs", 20)
    datasets = bare_project(world, "shared_datasets")
    store(world, datasets, "relief.tif", 2000)
    assert world.conditions.files.with_trouble(FileTrouble.IN_DATASETS) == ()
    store(world, datasets, "wrong.qgz", 20)
    assert world.conditions.files.with_trouble(FileTrouble.IN_DATASETS) == (
        FoundFile("alice/shared_datasets", "wrong.qgz", 20),
    )


def test_bytes_that_are_counted_wrongly(world: DatabaseWorld) -> None:
    if not keeps_files(world):
        assert world.conditions.files.miscounts(until=moment()) is None
        assert world.conditions.files.old_versions() is None
        return
    world.project("elsewhere")
    right, wrong, young = (world.project(name) for name in ("right", "wrong", "young"))
    store(world, right, "a.csv", 400, 600)
    store(world, wrong, "a.csv", 400, 700)
    store(world, young, "a.csv", 5, made=0)
    assert world.conditions.files.miscounts(until=before(5)) == (Miscount(wrong, "alice/wrong", 1100, 1000),)
    count_bytes(world, wrong, 1100)
    assert world.conditions.files.miscounts(until=before(5)) == ()
    assert world.conditions.files.old_versions() == (OldVersions("alice", 2, 800),)


def test_attachments_that_never_came(world: DatabaseWorld) -> None:
    since, until = before(600), before(60)
    if not keeps_files(world):
        assert world.conditions.files.missing_attachments(since=since, until=until) is None
        return
    survey, elsewhere = world.project("survey"), bare_project(world, "elsewhere")
    store(world, survey, "DCIM/there.jpg", 20)
    made = {"DCIM/there.jpg": "aa", "DCIM/lost.jpg": "bb", "DCIM/unknown.jpg": None}
    for project, status, age in (
        (survey, "applied", 90),
        (survey, "applied", 700),
        (survey, "applied", 5),
        (survey, "error", 90),
        (elsewhere, "applied", 90),
    ):
        announced = made if age == 90 and status == "applied" else {f"DCIM/{age}.jpg": "cc"}
        announce(world, world.delta(project, status, made=age), **announced)
    world.delta(survey, "applied", made=90)
    assert world.conditions.files.missing_attachments(since=since, until=until) == (
        FoundFile("alice/survey", "DCIM/lost.jpg", 0),
    )


def test_people(world: DatabaseWorld) -> None:
    before_it = world.conditions.accounts.superusers()
    world.person("bob")
    superuser(world, "bob")
    assert world.conditions.accounts.superusers() == before_it + 1
    assert world.conditions.server.oldest_secret() is None


def test_who_is_locked_out(world: DatabaseWorld) -> None:
    kept = [
        wrong_password(world, name, times, ago=timedelta(minutes=minutes))
        for name, times, minutes in (("alice", 4, 5), ("stranger", 9, 5), ("Alice@example.com", 5, 40))
    ]
    assert world.conditions.accounts.locked_out(moment()) == (() if all(kept) else None)
    if all(kept):
        wrong_password(world, "alice@example.com", 5, ago=timedelta(minutes=20))
        assert world.conditions.accounts.locked_out(moment()) == ("alice@example.com",)
        assert world.conditions.accounts.locked_out(moment() + timedelta(minutes=11)) == ()


def test_many_descriptions_within_an_hour(world: DatabaseWorld) -> None:
    calm, storm = world.project("calm"), world.project("storm")
    for minutes in range(10):
        world.job(calm, "finished", type="process_projectfile", made=40 * minutes)
        world.job(storm, "finished", type="process_projectfile", made=100 + minutes)
    world.job(storm, "finished", type="process_projectfile", made=300)
    found = world.conditions.work.processing_storms(since=DAY, more_than=9)
    assert found == (ProjectCount("alice/storm", 10),)
    assert world.conditions.work.processing_storms(since=DAY, more_than=10) == ()
    assert world.conditions.work.processing_storms(since=before(105), more_than=9) == ()


def test_edits_by_project(world: DatabaseWorld) -> None:
    one, two = world.project("one"), world.project("two")
    for number in range(3):
        world.delta(one, "unpermitted", made=10 + number)
    world.delta(two, "unpermitted", made=100)
    world.delta(two, "applied")
    assert world.conditions.work.edits("unpermitted") == (ProjectCount("alice/one", 3), ProjectCount("alice/two", 1))
    assert world.conditions.work.edits("unpermitted", since=before(50)) == (ProjectCount("alice/one", 3),)
    assert world.conditions.work.edits("unpermitted", more_than=3) == ()


def test_edits_that_a_package_has_overtaken(world: DatabaseWorld) -> None:
    names = ("overtaken", "packaged_before", "applied_since", "held", "not_packaged")
    projects = {name: world.project(name) for name in names}
    for name, project in projects.items():
        failed = world.job(project, "failed", type="delta_apply", made=60, started=59, ended=58)
        delta = world.delta(project, "applied" if name == "applied_since" else "error", job=failed, made=61)
        if name == "held":
            job = world.job(project, "pending", type="delta_apply", made=40)
            world.part(job, delta, "pending")
        if name != "not_packaged":
            start = 70 if name == "packaged_before" else 30
            world.job(project, "finished", type="package", made=start + 1, started=start, ended=start - 1)
    assert world.conditions.work.overtaken_edits(since=DAY) == (ProjectCount("alice/overtaken", 1),)
    assert world.conditions.work.overtaken_edits(since=before(50)) == ()


def test_jobs_that_take_long(world: DatabaseWorld) -> None:
    slow, quick = world.project("slow"), world.project("quick")
    for minutes in (100, 80, 60):
        world.job(slow, "finished", made=minutes, started=minutes, ended=minutes - 9)
        world.job(quick, "finished", made=minutes, started=minutes, ended=minutes - 1)
    world.job(slow, "failed", made=30, started=30, ended=10)
    assert world.conditions.work.long_jobs(since=DAY, at_least_s=500) == (LongJobs("alice/slow", "package", 3, 540.0),)
    assert world.conditions.work.long_jobs(since=before(50), at_least_s=500) == ()


def test_what_the_server_says_of_itself(world: DatabaseWorld) -> None:
    assert world.conditions.server.is_read_only() is False
    assert world.conditions.server.stuck_sessions(older_s=60) == ()
    assert world.conditions.work.time_limit_s() in (600.0, None)


def test_sessions_that_have_ended_are_counted(world: DatabaseWorld) -> None:
    if not world.has_table("session"):
        assert world.conditions.server.expired_sessions() is None
        return
    for key, until in {"a": before(3), "b": before(3), "c": before(-300)}.items():
        world.insert("session", session_key=key, session_data="", expire_date=until)
    assert world.conditions.server.expired_sessions() == 2


def test_addresses_of_wrong_logins(world: DatabaseWorld) -> None:
    known = world.conditions.accounts.failed_from
    if not wrong_password(world, "alice", 2, ago=timedelta(minutes=5)):
        assert known(DAY) is None
        return
    assert known(DAY) == ("192.0.2.1",)
    assert known(moment()) == ()


def test_old_entries_of_the_audit_log_are_counted(world: DatabaseWorld) -> None:
    server = world.conditions.server
    if not world.has_table("audit_log"):
        assert server.audit_entries(before=DAY) is None
        return
    for number, minutes in enumerate((3, 3000, 4000), 1):
        world.insert("audit_log", id=number, object_pk="1", object_repr="", action=0, timestamp=before(minutes),
                     content_type_id=1, changes_text="")  # fmt: skip
    assert server.audit_entries(before=DAY) == 2


def test_old_runs_of_tasks_are_removed_but_for_the_last_one_of_each(world: DatabaseWorld) -> None:
    server = world.conditions.server
    if not world.has_table("cron_log"):
        assert server.old_cron_runs(before=DAY) is None
        server.remove_cron_runs(before=DAY)
        return
    for number, (code, minutes) in enumerate([("a", 3), ("a", 3000), ("a", 4000), ("b", 3000), ("b", 4000)], 1):
        world.insert("cron_log", id=number, code=code, start_time=before(minutes), end_time=before(minutes),
                     is_success=True, message="")  # fmt: skip
    assert server.old_cron_runs(before=DAY) == 3
    server.remove_cron_runs(before=DAY)
    assert server.old_cron_runs(before=DAY) == 0
    assert [one.code for one in server.cron_runs() or ()] == ["a", "b"]


@pytest.mark.parametrize("change", PlanChange)
def test_only_a_plan_that_is_there_can_be_changed(world: DatabaseWorld, change: PlanChange) -> None:
    with pytest.raises(NotFoundError):
        world.conditions.accounts.change_plan("no-such-plan", change)


def test_what_a_release_does_not_keep_is_not_known(world: DatabaseWorld) -> None:
    """Every question has an answer on every release; if it is None, the tables explain it."""
    has_details = world.has_column("project", "project_details")
    known = {
        "cron": world.conditions.server.cron_runs() is not None,
        "plans": world.conditions.accounts.plan_limits() is not None,
        "places": world.conditions.accounts.places_taken() is not None,
        "stores": world.conditions.projects.stores_in_use() is not None,
        "versions": world.conditions.projects.qgis_versions() is not None,
        "online": world.conditions.projects.online() is not None,
    }
    assert known == {
        "cron": world.has_table("cron"),
        "plans": True,
        "places": world.has_column("plan", "max_organization_members"),
        "stores": world.has_column("project", "file_storage"),
        "versions": has_details or world.has_column("project", "qgis_version"),
        "online": has_details or world.has_table("project_qgislayer"),
    }
