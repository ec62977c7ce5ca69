"""The test project is removed when nothing works on it any more: workers of v26 end if it goes during their job."""

from __future__ import annotations

from dataclasses import replace

import pytest

from checks_world import healthy
from qfc.operations.probe import await_idle
from qfc.stack.model import JobStatus
from twins import MemoryPorts


@pytest.mark.parametrize("status", [JobStatus.PENDING, JobStatus.QUEUED, JobStatus.STARTED])
def test_the_job_after_an_edit_is_waited_for(status: JobStatus, monkeypatch: pytest.MonkeyPatch) -> None:
    ports, world = healthy()
    project = world.project("probe")
    job = world.job(project, status, type="process_projectfile", started=1)
    slept = _finishing(ports, job, monkeypatch, after=3)
    await_idle(ports, project, limit_s=60)
    assert len(slept) == 3


def test_a_job_that_never_ends_is_not_waited_for_for_ever() -> None:
    ports, world = healthy()
    project = world.project("probe")
    world.job(project, "started", started=1)
    began = ports.clock.now()
    await_idle(ports, project, limit_s=60)
    assert 60 <= (ports.clock.now() - began).total_seconds() < 62


def _finishing(ports: MemoryPorts, job: str, monkeypatch: pytest.MonkeyPatch, *, after: int) -> list[float]:
    """Let the job finish while the clock is waited for."""
    slept: list[float] = []
    sleep = ports.clock.sleep

    def counted(seconds: float) -> None:
        slept.append(seconds)
        if len(slept) == after:
            ports.jobs.job_rows[job] = replace(ports.jobs.job_rows[job], status=JobStatus.FINISHED)
        sleep(seconds)

    monkeypatch.setattr(ports.clock, "sleep", counted)
    return slept
