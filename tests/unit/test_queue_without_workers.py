"""Jobs of a deployment whose database keeps no list of workers: whether any worker runs is asked of its services."""

from __future__ import annotations

import io
from dataclasses import replace

import pytest

from checks_world import healthy
from qfc.cli.output import Writer
from qfc.cli.sync import write_queue
from qfc.operations.sync_queue import sync_queue
from twins import MemoryPorts


@pytest.fixture
def ports(monkeypatch: pytest.MonkeyPatch) -> MemoryPorts:
    """A deployment with one waiting job."""
    ports, world = healthy("compose")
    world.job(world.project("waits"), made=5)
    asked = ports.jobs.snapshot
    monkeypatch.setattr(ports.jobs, "snapshot", lambda *, limit=200: replace(asked(limit=limit), workers=None))
    return ports


def shown(ports: MemoryPorts) -> str:
    out = io.StringIO()
    write_queue(Writer(as_json=False, quiet=False, out=out), sync_queue(ports))
    return " ".join(out.getvalue().split())


def test_a_job_waits_for_a_worker_that_is_free(ports: MemoryPorts) -> None:
    text = shown(ports)
    assert "2 workers" in text
    assert "No worker has picked it up yet." in text
    assert "none is running" not in text


def test_a_job_waits_for_any_worker_at_all(ports: MemoryPorts) -> None:
    ports.runtime.stop(["worker_wrapper"])
    text = shown(ports)
    assert "1 for a worker: none is running" in text
    assert "No worker is running." in text
    assert sync_queue(ports).workers == 0
