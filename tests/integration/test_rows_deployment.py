"""Faults in the rows and `.env` of an official server: found by the checks, and repaired."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta

from checks_world import answering, expect, found, ids, the
from qfc.stack.findings import Result
from qfc.stack.model import Revision
from qfc.stack.rollout import Record, as_document
from queue_world import DatabaseWorld, before
from twins import MemoryPorts

OLD_SECRET, NEW_SECRET = "s3cret-old-key", "s3cret-new-key"
THREE = "QFIELDCLOUD_QGIS3_IMAGE_NAME=memory-app\n"


def deployed(ports: MemoryPorts, env: str) -> None:
    """Record a deployment an hour ago, with the previous .env."""
    revision = Revision("a" * 40, "v1")
    record = Record("1", "deploy", before(60), "anna@memory", revision, revision)
    ports.deployment.site.env = ports.deployment.site.env.replace("SECRET_KEY=a-b-c", f"SECRET_KEY={NEW_SECRET}")
    ports.records.write("deployments/1/record.json", as_document(record))
    ports.records.write_text("deployments/1/env", env)


@contextmanager
def secret(world: DatabaseWorld, minutes: float) -> Iterator[None]:
    """Store a secret of that age for a block; our tables of releases have none."""
    world.execute("create table core_secret (created_at timestamptz)")
    world.execute("insert into core_secret values (%(at)s)", {"at": before(minutes)})
    world.forget()
    try:
        yield
    finally:
        world.execute("drop table core_secret")
        world.forget()


def written_by_four(world: DatabaseWorld) -> None:
    """Mark a project as one of QGIS 4."""
    world.project("new", details='{"qgis_version": "4.0.1-Norrköping"}')


def test_rows_in_which_all_is_well_show_nothing(official_ports: MemoryPorts) -> None:
    assert found(official_ports).findings == ()


def test_projects_in_an_old_store(official_ports: MemoryPorts, official_world: DatabaseWorld) -> None:
    env = official_ports.deployment.site.env
    legacy = '{"BACKEND": "s3"}, "old": {"QFC_IS_LEGACY": true}'
    official_ports.deployment.site.env = env.replace('{"BACKEND": "s3"}', legacy)
    assert found(official_ports).findings == ()
    for name in ("one", "two"):
        official_world.tables.change("project", {"id": official_world.project(name)}, file_storage="old")
    expect(official_ports, "C06", "2 in old")


def test_jobs_that_come_near_the_time_limit(official_ports: MemoryPorts, official_world: DatabaseWorld) -> None:
    official_world.job(official_world.project("slow"), "finished", made=60, started=60, ended=51)
    expect(official_ports, "E10", "The limit is 600 s: alice/slow (package 540 s)")
    official_world.execute(f"update core_job set created_at = created_at - interval '{timedelta(days=31)}'")
    assert found(official_ports).findings == ()


def test_secrets_that_are_older_than_another_key(official_ports: MemoryPorts, official_world: DatabaseWorld) -> None:
    deployed(official_ports, f"SECRET_KEY={OLD_SECRET}\n")
    assert found(official_ports).findings == ()
    with secret(official_world, 10):
        assert found(official_ports).findings == ()
    with secret(official_world, 100):
        made = found(official_ports)
        assert "SECRET_KEY had another value" in the(made, "E08").evidence
        assert "s3cret" not in str(made)
        official_ports.records.write_text("deployments/1/env", f"SECRET_KEY={NEW_SECRET}\nSALT_KEY=\n")
        assert found(official_ports).findings == ()


def test_workers_that_start_no_image_need_none_of_qgis_four(
    official_ports: MemoryPorts, official_world: DatabaseWorld
) -> None:
    written_by_four(official_world)
    assert found(official_ports).findings == ()
    official_ports.deployment.site.env += "QFIELDCLOUD_QGIS3_IMAGE_NAME=x\nQFIELDCLOUD_QGIS4_IMAGE_NAME=y\n"
    assert "E01-images" not in ids(found(official_ports))


def test_the_image_of_qgis_four_is_named_like_that_of_three_once_it_was_pulled(
    official_ports: MemoryPorts, official_world: DatabaseWorld
) -> None:
    ports, site = official_ports, official_ports.deployment.site
    written_by_four(official_world)
    site.env += THREE
    assert "alice/new" in the(found(ports), "E01-images").evidence
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


def cron_ran(world: DatabaseWorld, minutes: float, *, failed: bool = False) -> None:
    """Record that a periodic task ran that many minutes ago."""
    at = world.now() - timedelta(minutes=minutes)
    world.insert("cron", code="clean_up", start_time=at, end_time=at, is_success=not failed, message="")


def with_ofelia(ports: MemoryPorts) -> None:
    """Add a service for periodic tasks that is not running."""
    ports.runtime._wanted["ofelia"] = 1  # pyright: ignore[reportPrivateUsage]
    ports.runtime._running["ofelia"] = {}  # pyright: ignore[reportPrivateUsage]


def test_a_cron_that_stopped_is_begun(official_ports: MemoryPorts, official_world: DatabaseWorld) -> None:
    ports, world = official_ports, official_world
    world.job(world.project("waits"), made=2)
    cron_ran(world, 30)
    with_ofelia(ports)

    def run(service: str, argv: Sequence[str], stdin: bytes) -> str:
        del service, stdin
        assert ports.runtime._running["ofelia"], argv  # pyright: ignore[reportPrivateUsage]
        cron_ran(world, 0)
        return ""

    answering(ports, "runcrons", run)
    expect(ports, "D08-cron", "30 min ago", ("A11-other",))


def test_a_cron_that_is_at_rest_is_no_fault_without_work_or_before_its_first_run(
    official_ports: MemoryPorts, official_world: DatabaseWorld
) -> None:
    cron_ran(official_world, 30, failed=True)
    assert found(official_ports).findings == ()
    official_world.job(official_world.project("waits"), made=2)
    official_world.tables.delete("cron", {})
    assert found(official_ports).findings == ()


def test_a_cron_that_nothing_begins_is_told_and_not_repaired(
    official_ports: MemoryPorts, official_world: DatabaseWorld
) -> None:
    official_world.job(official_world.project("waits"), made=2)
    cron_ran(official_world, 90)
    finding = the(found(official_ports, fix=True), "D08-cron")
    assert finding.result is Result.FAILED
    assert "no service ofelia" in finding.evidence
