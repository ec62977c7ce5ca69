"""Workers that somebody drained: nothing starts them but a person, and everything says who it was."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from checks_world import ENV, VALUES, YES, found, healthy, ids, the
from deploy_world import World
from qfc.checks import EVERYTHING
from qfc.monitor.watcher import Watcher
from qfc.operations.deploy import DeployOptions, deploy
from qfc.operations.down import down
from qfc.operations.guard import Options
from qfc.operations.maintenance.run import maintenance_run
from qfc.operations.services import services_recreate, services_restart
from qfc.operations.status import status
from qfc.operations.sync_diagnose import diagnose
from qfc.operations.up import up
from qfc.operations.workers_change import workers_drain, workers_restart, workers_scale
from qfc.stack import drains
from qfc.stack.findings import Result, Severity
from qfc.stack.model import Verdict
from qfc.stack.monitor import Limits
from twins import MemoryPorts

SAID = "anna@memory drained the workers at 2026-"
WORKER = "worker_wrapper"
KINDS = ["embedded", "compose"]


def drained(kind: str = "embedded") -> MemoryPorts:
    ports, world = healthy(kind)
    workers_drain(ports, Options())
    world.job(world.project("waits"), made=2)
    return ports


def running(ports: MemoryPorts) -> int:
    return next(one.running for one in ports.runtime.services() if one.name == WORKER)


@pytest.mark.parametrize("kind", KINDS)
def test_the_doctor_tells_of_a_drain_and_repairs_nothing(kind: str) -> None:
    ports = drained(kind)
    for result in (found(ports), found(ports, fix=True)):
        assert ids(result) == ["D11-drained"]
        finding = the(result, "D11-drained")
        assert finding.evidence.startswith(SAID)
        assert (finding.severity, finding.result) == (Severity.INFO, Result.FOUND)
        assert running(ports) == 0
    ports.runtime.stop(None)
    ports.runtime.start(None)
    ports.runtime.scale(WORKER, 1)
    assert "1 of 1 were started since" in the(found(ports), "D11-drained").evidence


def test_without_workers_nothing_is_proven() -> None:
    result = diagnose(drained(), EVERYTHING, YES)
    assert the(result, "proof").result is Result.SKIPPED
    assert the(result, "proof").evidence.startswith(SAID)


@pytest.mark.parametrize("kind", KINDS)
def test_the_monitor_starts_no_drained_workers(kind: str) -> None:
    ports = drained(kind)
    watcher = Watcher(ports, Limits(), say=lambda *_: None)
    for _ in range(6):
        ports.clock.sleep(watcher.turn())
    assert running(ports) == 0
    assert [entry.command for entry in ports.audit.entries()] == ["workers drain"]


@pytest.mark.parametrize("kind", KINDS)
def test_maintenance_restarts_no_drained_workers(kind: str) -> None:
    ports = drained(kind)
    ports.jobs.job_rows.clear()
    (step,) = maintenance_run(ports, "restart-workers", Options()).steps
    assert (step.result, step.sentence[: len(SAID)]) == ("skipped", SAID)
    assert running(ports) == 0


def test_status_says_who_drained_the_workers() -> None:
    ports, _ = healthy()
    workers_drain(ports, Options(dry_run=True))
    assert status(ports).verdict is Verdict.OK
    workers_drain(ports, Options())
    ports.clock.sleep(timedelta(hours=1).total_seconds())
    seen = status(ports)
    assert seen.verdict is Verdict.DEGRADED
    assert any(one.startswith(SAID) for one in seen.reasons)


@pytest.mark.parametrize(
    "start",
    [
        workers_restart,
        up,
        down,
        lambda ports, options: workers_scale(ports, 1, options),
        lambda ports, options: services_restart(ports, [WORKER], options),
        lambda ports, options: services_recreate(ports, None, options),
    ],
)
@pytest.mark.parametrize("kind", KINDS)
def test_whoever_starts_the_workers_ends_the_drain(kind: str, start: Callable[[MemoryPorts, Options], object]) -> None:
    ports = drained(kind)
    start(ports, Options(dry_run=True))
    assert drains.read(ports.records)
    start(ports, Options(yes=True))
    assert drains.read(ports.records) is None
    ports.runtime.start(None)
    ports.runtime.stop([WORKER])
    assert "D11" in ids(found(ports)), "workers that end later are a fault"


def test_another_service_does_not_end_the_drain() -> None:
    ports = drained()
    services_restart(ports, ["app"], Options())
    assert "D11-drained" in ids(found(ports))


def test_a_repair_that_starts_the_workers_ends_the_drain() -> None:
    ports = drained("compose")
    ports.deployment.site.env = f"{ENV}{VALUES['A10-passwords'][0]}\n"
    assert the(found(ports, fix=True), "A10-passwords").result is Result.FIXED
    assert running(ports) == 2
    assert drains.read(ports.records) is None


def test_a_deployment_ends_the_drain() -> None:
    world = World()
    ports = world.ports()
    drains.write(ports.records, drains.Drain("anna@memory", ports.clock.now()))
    deploy(ports, DeployOptions(tag="b", migrate=True, collectstatic=True), YES)
    assert world.site.workers == 2
    assert drains.read(ports.records) is None
