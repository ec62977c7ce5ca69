"""The order of a project's waiting jobs: edits by arrival, then packages; a later package replaces an earlier one."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from qfc.stack.model import Job, JobStatus
from qfc.stack.queue_order import WaitingJob, plan_order, superseded

NOW = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
minutes = st.integers(0, 9)
kinds = st.sampled_from(["delta_apply", "package"])
rows = st.lists(st.tuples(kinds, st.sampled_from(["p", "q"]), minutes, st.none() | minutes), max_size=12)


def waiting(number: int, type: str, project: str, made: int, first: int | None) -> WaitingJob:
    arrived = None if first is None or type == "package" else NOW + timedelta(minutes=first)
    return WaitingJob(f"{number:02}", project, type, NOW + timedelta(minutes=made), arrived)


@given(rows)
def test_edits_come_as_they_were_sent_and_before_packages(given: list[tuple[str, str, int, int | None]]) -> None:
    jobs = [waiting(number, *row) for number, row in enumerate(given)]
    places = plan_order(jobs)
    moved = [replace(job, created_at=places.get(job.id, job.created_at)) for job in jobs]
    for project in ("p", "q"):
        ordered = sorted((job for job in moved if job.project_id == project), key=lambda job: (job.created_at, job.id))
        assert [job.type for job in ordered] == sorted(job.type for job in ordered)
        arrivals = [job.first_delta for job in ordered if job.first_delta is not None]
        if all(job.first_delta for job in ordered if job.type == "delta_apply"):
            assert arrivals == sorted(arrivals)
    assert plan_order(moved) == {}, "what stands right is moved"
    assert not {job.id for job in jobs if job.type == "package"} & set(places), "a package is moved"


def test_a_project_keeps_its_place_before_other_projects() -> None:
    jobs = [
        waiting(0, "package", "p", 3, None),
        waiting(1, "delta_apply", "p", 9, 1),
        waiting(2, "package", "q", 2, None),
    ]
    assert plan_order(jobs) == {"01": NOW + timedelta(minutes=3) - timedelta(microseconds=1)}


def package(name: str, project: str, person: str, type: str = "package") -> Job:
    return Job(name, type, JobStatus.PENDING, project, f"alice/{project}", person, NOW)


def test_only_a_later_package_of_the_same_person_and_project_replaces_one() -> None:
    pending = [
        package("a", "p", "alice"),
        package("b", "p", "bob"),
        package("c", "q", "alice"),
        package("d", "p", "alice", "delta_apply"),
        package("e", "p", "alice"),
        package("f", "p", "alice", "process_projectfile"),
        package("g", "p", "alice"),
    ]
    assert [job.id for job in superseded(pending)] == ["a", "e"]
