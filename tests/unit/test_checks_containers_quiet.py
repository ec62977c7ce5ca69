"""Containers, stores and hosts: no finding without a fault, and a part that cannot be checked is not called healthy."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from checks_world import found, healthy, ids, the
from qfc.checks import EVERYTHING, FOR_SYNC, Severity
from qfc.checks.containers import CONTAINERS, CONTAINERS_ADVISORY
from qfc.checks.hosts import HOSTS
from qfc.checks.launching import LAUNCHING, LAUNCHING_ADVISORY
from qfc.checks.stores import STORES, STORES_ADVISORY
from qfc.stack.findings import Result
from qfc.stack.forecast import DiskSample
from qfc.stack.model import (
    DiskPart,
    EngineFacts,
    Health,
    LogLine,
    Neighbour,
    Service,
    ServiceState,
    StoreFacts,
    TemporaryFolder,
    Vantage,
)
from queue_world import moment
from twins import MemoryInspection, MemoryPorts

WORKER, DAY_S = "worker_wrapper", 24 * 3600.0
PULLED = "registry.example/qgis:26.4"
QGIS = {"QFIELDCLOUD_QGIS_IMAGE_NAME": "memory-qgis"}
MINE = (*CONTAINERS, *STORES, *LAUNCHING, *CONTAINERS_ADVISORY, *STORES_ADVISORY, *LAUNCHING_ADVISORY, *HOSTS)
Fault = Callable[[MemoryPorts], None]


def seen(ports: MemoryPorts) -> MemoryInspection:
    return ports.deployment.inspection


def change(ports: MemoryPorts, service: str, **values: object) -> None:
    """Change a service's container, or create one."""
    rows = {one.service: one for one in seen(ports).containers.rows}
    rows[service] = replace(rows.get(service, seen(ports).containers.of(service)), **values)  # pyright: ignore[reportArgumentType]
    seen(ports).containers.rows = list(rows.values())


def official(ports: MemoryPorts) -> None:
    """Use workers that start a container for each job, with everything that they need."""
    site = ports.deployment.site
    site.extra = {"qgis": "memory-qgis"}
    site.build("qgis", moment())
    seen(ports).environment.given[WORKER] = dict(QGIS)
    change(ports, WORKER, mounts=("/var/run/docker.sock", "/tmp"))


def with_services(ports: MemoryPorts, *more: Service) -> None:
    """Add services to the runtime."""
    services = ports.runtime.services
    ports.runtime.services = lambda **_: (*services(), *more)  # pyright: ignore[reportAttributeAccessIssue]


def network(ports: MemoryPorts) -> None:
    official(ports)
    seen(ports).engine.network_names.append("other")
    ports.deployment.site.env += "QFIELDCLOUD_DEFAULT_NETWORK=qfieldcloud_default\n"


def denied_socket(ports: MemoryPorts) -> None:
    official(ports)
    text = "docker.errors.DockerException: Error while fetching server API version"
    ports.runtime.lines.append(LogLine(WORKER, WORKER, moment() - timedelta(minutes=1), "ERROR", text))


def store(**values: object) -> Fault:
    blank = Service("minio", ServiceState.RUNNING, Health.HEALTHY, 1)
    return lambda ports: with_services(ports, replace(blank, **values))  # pyright: ignore[reportArgumentType]


def fills(ports: MemoryPorts) -> None:
    for day in range(4):
        at = moment() - timedelta(days=3 - day)
        ports.disk_history.add(DiskSample(at, (40 - 10 * day) * 10**9, 100 * 10**9, "/data"))


def missing_image(ports: MemoryPorts) -> None:
    official(ports)
    ports.deployment.site.env += "QFIELDCLOUD_QGIS_IMAGE_NAME=memory-qgis\n"
    ports.deployment.images.remove(["memory-qgis:latest"])


def test_nothing_is_found_on_a_healthy_one_whose_workers_start_containers() -> None:
    ports, _ = healthy("compose")
    official(ports)
    assert found(ports).findings == ()


def test_what_the_node_does_not_need_is_no_fault_of_it() -> None:
    ports, _ = healthy("compose")
    seen(ports).engine.network_names.clear()
    seen(ports).engine.neighbours = (Neighbour("second", "/opt/second"),)
    seen(ports).engine.known = replace(seen(ports).engine.known, architecture="aarch64")
    assert found(ports).findings == ()


def test_a_port_that_was_taken_and_is_not_any_more_is_no_fault() -> None:
    ports, _ = healthy("compose")
    change(ports, "db", error="Bind for 0.0.0.0:5432 failed: port is already allocated")
    assert found(ports).findings == ()


def test_a_host_without_compose_is_told() -> None:
    ports, _ = healthy("compose")
    seen(ports).engine.known = EngineFacts("20.10", "x86_64", "/var/lib/docker", "")
    assert the(found(ports), "A07").evidence == "The host has no Compose, so qfc cannot change the deployment."


def test_single_commands_and_tasks_need_no_policy() -> None:
    ports, _ = healthy("compose")
    change(ports, "createbuckets", state="exited", restart_policy="no")
    run = replace(seen(ports).containers.of("app"), id="run", is_one_off=True, restart_policy="")
    seen(ports).containers.rows.append(run)
    with_services(ports, Service("createbuckets", ServiceState.STOPPED, Health.UNKNOWN, 0, is_task=True))
    assert found(ports).findings == ()


def test_the_network_of_the_workers_is_written_and_only_that_is_shown() -> None:
    ports, _ = healthy("compose")
    network(ports)
    steps = found(ports, fix=True).steps
    assert any("QFIELDCLOUD_DEFAULT_NETWORK: qfieldcloud_default → memory_default" in step for step in steps)
    assert ports.deployment.settings.values()["QFIELDCLOUD_DEFAULT_NETWORK"] == "memory_default"


def test_workers_that_may_not_use_the_engine_say_so_in_their_log() -> None:
    ports, _ = healthy("compose")
    denied_socket(ports)
    assert the(found(ports), "D13").evidence.startswith("Their log says: docker.errors.DockerException")
    ports.clock.moment = moment() + timedelta(hours=1)
    assert "D13" not in ids(found(ports))


def test_the_release_of_a_base_image_is_none_of_ours() -> None:
    ports, _ = healthy("compose")
    official(ports)
    kept = ports.deployment.images.all
    made = [replace(one, release="22.04" if "qgis" in one.services else "26.4") for one in kept()]
    object.__setattr__(ports.deployment.images, "all", lambda: tuple(made))
    assert found(ports).findings == ()


def test_what_belongs_to_a_job_at_work_stays() -> None:
    ports, world = healthy("compose")
    official(ports)
    job = world.job(world.project("busy"), "started", started=1)
    ports.runtime.at_work = frozenset({job})
    seen(ports).host.folders = [TemporaryFolder("/tmp/tmpbusy", 2 * DAY_S, job)]
    assert "C14" not in ids(found(ports, fix=True))
    assert len(seen(ports).host.folders) == 1


def test_a_store_that_no_address_names_is_not_missed() -> None:
    ports, _ = healthy("compose")
    seen(ports).environment.known_stores = (StoreFacts("default", "s3", "https://s3.example.com"),)
    store(state=ServiceState.STOPPED)(ports)
    assert ids(found(ports)) == ["A11-other"]


def test_a_store_that_only_the_host_cannot_reach_is_no_fault() -> None:
    ports, _ = healthy("compose")
    seen(ports).environment.known_stores = (StoreFacts("default", "s3", "http://10.9.9.9:9000"),)
    seen(ports).network.unreached[Vantage.HOST, "http://10.9.9.9:9000"] = "timed out"
    assert found(ports).findings == ()


def test_the_host_is_not_asked_for_names_that_only_containers_know() -> None:
    ports, _ = healthy("compose")
    seen(ports).network.unreached[Vantage.APP, "http://minio:9000"] = "no such name"
    assert (
        the(found(ports), "C01").evidence == "http://minio:9000 (default) from app: no such name; nginx: answered 403."
    )


@pytest.mark.parametrize("host", ["field.example.test", "192.168.1.9", "server", "field.localhost", "a.example.org"])
def test_names_that_lead_nowhere_by_agreement_are_not_looked_up(host: str) -> None:
    ports, _ = healthy("compose")
    site = ports.deployment.site
    site.env = site.env.replace("field.example.org", host)
    seen(ports).network.nowhere = frozenset({host})
    assert "G03-dns" not in ids(found(ports))


def test_logs_that_may_not_be_measured_are_not_taken_for_small() -> None:
    ports, _ = healthy("compose")
    seen(ports).host.log_parts = (DiskPart("log", "memory-db-1", None),)
    assert the(found(ports), "A15-logs").result is Result.SKIPPED


def test_old_measurements_of_a_disk_say_nothing() -> None:
    ports, _ = healthy("compose")
    fills(ports)
    ports.clock.moment = moment() + timedelta(days=3)
    assert "A15-soon" not in ids(found(ports))


def test_a_missing_image_is_built_where_a_service_builds_it() -> None:
    ports, _ = healthy("compose")
    missing_image(ports)
    assert the(found(ports), "D02").evidence == "Missing: memory-qgis."
    assert the(found(ports, fix=True), "D02").result is Result.FIXED
    assert found(ports).findings == ()


def test_a_missing_image_of_no_service_is_pulled() -> None:
    ports, _ = healthy("compose")
    ports.deployment.site.env += f"QFIELDCLOUD_QGIS_IMAGE_NAME={PULLED}\n"
    failed = the(found(ports, fix=True), "D02")
    assert failed.result is Result.FAILED
    assert f"manifest for {PULLED} not found" in failed.evidence
    ports.deployment.site.registry = (PULLED,)
    assert the(found(ports, fix=True), "D02").result is Result.FIXED
    assert found(ports).findings == ()


def test_what_stops_synchronisation_is_looked_at_by_sync_diagnose() -> None:
    assert set(MINE) <= set(EVERYTHING)
    critical = {check.id for check in MINE if check.severity is Severity.CRITICAL}
    assert critical - {check.id for check in FOR_SYNC} == {"A15-no-inodes", "tunnel"}
