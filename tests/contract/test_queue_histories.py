"""Random histories of devices, workers and operators: no edit is lost or applied twice, no project stays blocked.

`QFC_TEST_HISTORIES=500 pytest …` tries that many more histories than a usual run, new ones each time.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, TypeVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from history_world import Actor, DatabaseGround, Ground, MemoryGround
from qfc.drivers.postgres_server import connect
from qfc.operations.deltas_filter import DeltaFilter
from qfc.operations.deltas_list import NOT_ARRIVED, deltas_list
from qfc.operations.deltas_reapply import DeltaSelection, deltas_reapply
from qfc.operations.guard import Options
from qfc.operations.jobs_change import JobSelection, jobs_cancel, jobs_retry
from qfc.operations.jobs_cleanup import Cleaned, jobs_cleanup
from qfc.operations.queue_change import Changed
from qfc.stack.model import Delta, Job, JobStatus
from shared_database import SharedDatabases

YES, DRY = Options(yes=True), Options(dry_run=True)
PEOPLE = ("alice", "bob")
WORKERS = 2
EVERYTHING = 10**6
ACTIVE = (JobStatus.QUEUED, JobStatus.STARTED)
OPEN = (JobStatus.PENDING, JobStatus.QUEUED, JobStatus.STARTED)
#: States of an edit that waits for nothing: its reason must be reported.
SETTLED = ("conflict", "not_applied", "error", "ignored", "unpermitted")
#: Actions of workers, of operators, and of the server; repeated ones are more frequent.
WORK = ("spoil", "spoil", "spoil", "claim", "start", "write", "finish", "fail", "die", "hire", "expire")
OPERATION = ("retry", "retry_all", "cancel", "reapply", "reapply_many", "reapply_many", "cleanup", "move_to_front")
LIFE = ("ask", "ask", "ask", "lock", "delete", "container_ends", "server_cleans", "hire")
#: Histories in which something could go wrong: actions, each with the number of its object.
KNOWN = (
    "spoil1 retry_all0 work0",  # the files were written, then the job failed
    "spoil0 reapply_many0 work0 retry_all0 work0 work0",  # an edit of a failed job arrived with another one
    "claim0 start0 write0 die1 cleanup0 hire0 work0 work0",  # the worker died after the files were written
    "claim0 start0 die0 cleanup0 container_ends1 cleanup0 work0 work0",  # a container outlived its worker
    "claim0 die1 cleanup0 work0 work0",  # the worker died before it began
    "claim0 start0 write0 die1 server_cleans0 retry_all0 reapply_many0 work0 work0",
    "claim0 start0 expire0 cleanup0 work1 finish0 work0",  # a worker comes back after it lost its job
    "cancel0 push0 spoil1 retry_all0 work0 work0",  # a cancelled edit went with a job that failed after it had written
    "ask0 spoil0 reapply_many0 work0 work0",  # a package waits while edits are applied again
    "ask0 spoil0 retry_all0 work0 work0",
    "ask0 claim0 die1 cleanup0 hire0 work0 work0",
    "spoil0 ask0 push0 reapply0 reapply1 work0 work0 work0 work0",  # one by one, with younger edits waiting
    "ask0 push0 delete0 push0 cleanup1 work0 work0",
    "ask0 ask0 ask8 cleanup0 work0 work0 work0",
    "lock3 cleanup0 work0 cleanup1 work0",
)
numbers = st.integers(0, 99)
outcomes = st.lists(
    st.sampled_from(["applied", "applied", "applied", "conflict", "not_applied"]), min_size=4, max_size=4
)


class Histories(RuleBasedStateMachine):
    """One server; the rules are actions of users, devices, workers and operators, in any order."""

    def __init__(self, make: Callable[[], Ground]) -> None:
        super().__init__()
        self.ground = make()
        self.pushed: dict[str, str] = {}
        self.order: dict[str, list[str]] = {}
        self.disturbed: set[str] = set()
        self.again: set[str] = set()
        self.moved_to_front: set[str] = set()
        self.projects: list[str] = []
        self.workers: list[Actor] = []
        self.orphans: list[Actor] = []
        self.made = 0

    @initialize(
        projects=st.integers(1, 2), sent=st.lists(st.tuples(numbers, st.integers(1, 3)), min_size=1, max_size=4)
    )
    def begin(self, projects: int, sent: list[tuple[int, int]]) -> None:
        """Create users, projects and workers; devices have sent edits."""
        self.ground.world.person("bob")
        for _ in range(projects):
            self.make_project()
        self.workers = [self.ground.hire() for _ in range(WORKERS)]
        for which, number in sent:
            self.push(which, number)

    def make_project(self) -> None:
        """Create a project with a file."""
        self.made += 1
        project = self.ground.world.project(f"survey {self.made}")
        self.ground.give_file(project)
        self.projects.append(project)

    def teardown(self) -> None:
        """End everything."""
        self.ground.close()

    # a few rules with many variants each: this makes long useful histories more likely

    @rule(which=numbers, number=st.integers(1, 3))
    def device_pushes(self, which: int, number: int) -> None:
        """A device sends edits."""
        self.push(which, number)

    @rule(which=numbers, became=outcomes)
    def worker_finishes(self, which: int, became: list[str]) -> None:
        """A worker does its normal work."""
        self.work(which, became)

    @rule(which=numbers, became=outcomes, does=st.sampled_from(WORK))
    def worker_works(self, which: int, became: list[str], does: str) -> None:
        """A worker does something, or something happens to it."""
        getattr(self, does)(which, became)

    @rule(which=numbers, does=st.sampled_from(OPERATION))
    def operator_acts(self, which: int, does: str) -> None:
        """An operator does something, first as a dry run and then for real."""
        getattr(self, does)(which)

    @rule(which=numbers, became=outcomes, does=st.sampled_from(LIFE))
    def life_goes_on(self, which: int, became: list[str], does: str) -> None:
        """Something else happens to the server."""
        getattr(self, does)(which, became)

    # actions of users and devices

    def push(self, which: int, number: int) -> None:
        """A device sends edits."""
        project = self.projects[which % len(self.projects)]
        sent = self.ground.push(project, PEOPLE[which % 2], number)
        self.pushed |= dict.fromkeys(sent, project)
        self.order.setdefault(project, []).extend(sent)

    def ask(self, which: int, _: list[str]) -> None:
        """A user requests a package, or a project file arrives."""
        project, person = self.projects[which % len(self.projects)], PEOPLE[which // 4 % 2]
        type = "process_projectfile" if which % 4 == 3 else "package"
        self.ground.world.job(project, type=type, made=self.ground.tick(), by=person)

    def delete(self, which: int, _: list[str]) -> None:
        """A user deletes a project and creates another."""
        project = self.projects.pop(which % len(self.projects))
        self.ground.world.delete_project(project)
        self.pushed = {delta: own for delta, own in self.pushed.items() if own != project}
        self.make_project()

    def lock(self, which: int, _: list[str]) -> None:
        """Somebody locks a project, or unlocks it."""
        self.ground.lock(self.projects[which % len(self.projects)], (None, None, 5.0, 90.0)[which % 4])

    # actions of workers, and events that hit them

    def claim(self, which: int, _: list[str]) -> None:
        """A worker looks for a job."""
        for actor in pick(self.idle, which):
            self._claim(actor)

    def work(self, which: int, became: list[str]) -> None:
        """A worker finishes its job, or one that it claims now."""
        for actor in pick(self.workers, which):
            if self._has_begun(actor):
                self._finish(actor, became)

    def spoil(self, which: int, became: list[str]) -> None:
        """A worker's job, or one that it claims now, fails; its files may already be written."""
        for actor in pick(self.workers, which):
            if self._has_begun(actor):
                if which % 2:
                    self.ground.write(actor, outcomes_of(actor, became))
                self._fail(actor)

    def start(self, which: int, _: list[str]) -> None:
        """A worker starts its job."""
        for actor in pick(self.busy(begun=False), which):
            self._begin(actor)

    def write(self, which: int, became: list[str]) -> None:
        """The container of an official server writes its files."""
        for actor in pick(self.busy(begun=True), which):
            self.ground.write(actor, outcomes_of(actor, became))

    def finish(self, which: int, became: list[str]) -> None:
        """A worker finishes its job."""
        for actor in pick(self.busy(begun=True), which):
            self._finish(actor, became)

    def fail(self, which: int, _: list[str]) -> None:
        """A worker's job fails."""
        for actor in pick(self.busy(begun=True), which):
            self._fail(actor)

    def die(self, which: int, _: list[str]) -> None:
        """A worker dies at any stage of its job; a container may outlive it."""
        for actor in pick([*self.busy(begun=True), *self.workers], which):
            self.ground.bury(actor)
            self.workers.remove(actor)
            if which % 2:
                self.ground.containers.discard(actor.job or "")
            elif actor.job in self.ground.containers:
                self.orphans.append(actor)

    def hire(self, _: int, __: list[str]) -> None:
        """A new worker replaces a dead one."""
        if len(self.workers) < WORKERS:
            self.workers.append(self.ground.hire())

    def expire(self, which: int, _: list[str]) -> None:
        """A worker hangs until its lease ends; it continues later."""
        for actor in pick([*self.busy(begun=False), *self.busy(begun=True)], which):
            self.ground.expire(actor)

    def container_ends(self, which: int, became: list[str]) -> None:
        """A container whose worker is dead ends; nobody records its result."""
        for orphan in pick(self.orphans, which):
            self.orphans.remove(orphan)
            if which % 2:
                self.ground.write(orphan, outcomes_of(orphan, became))
            self.ground.containers.discard(orphan.job or "")

    def server_cleans(self, _: int, __: list[str]) -> None:
        """An official server marks lost jobs as failed."""
        lost = {delta.id for delta in self._deltas() if delta.status == "started"}
        self.ground.end_the_lost()
        self.disturbed |= {delta.id for delta in self._deltas() if delta.id in lost and delta.status == "error"}

    # actions of operators

    def retry(self, which: int) -> None:
        """Retry one job."""
        ended = [job for job in self._jobs() if job.status in (JobStatus.FAILED, JobStatus.STOPPED)]
        for job in pick(ended, which):
            self._change(partial(jobs_retry, self.ground.ports, JobSelection([job.id])))

    def retry_all(self, _: int) -> None:
        """Retry all jobs that did not finish."""
        self._change(partial(jobs_retry, self.ground.ports, JobSelection(everything=True)))

    def cancel(self, which: int) -> None:
        """Cancel a job at any stage."""
        for job in pick([job for job in self._jobs() if job.status in OPEN], which):
            self.disturbed |= {delta.id for delta in self.ground.world.store.deltas(job_id=job.id, limit=EVERYTHING)}
            self._change(partial(jobs_cancel, self.ground.ports, JobSelection([job.id])), again=False)

    def reapply(self, which: int) -> None:
        """Apply one edit again that has certainly not arrived."""
        lost = [one for one in self._deltas() if one.status in NOT_ARRIVED and not one.is_in_doubt]
        for delta in pick(lost, which):
            self._reapply(DeltaSelection([delta.id]))

    def reapply_many(self, which: int) -> None:
        """Apply the edits of a filter again."""
        wanted = (DeltaFilter(NOT_ARRIVED), DeltaFilter(), DeltaFilter(by="bob"), DeltaFilter(reason="conflict"))
        self._reapply(DeltaSelection(everything=True, wanted=wanted[which % len(wanted)]))

    def move_to_front(self, which: int) -> None:
        """Move a job to the front; the suite does so with its own jobs, which have no edits."""
        found = [job for job in self._jobs() if job.status is JobStatus.PENDING and job.type != "delta_apply"]
        for job in pick(found, which):
            self.ground.world.store.move_to_front(job.id)
            self.moved_to_front.add(job.id)

    def cleanup(self, which: int) -> None:
        """Free stuck jobs; afterwards no project is blocked by a job without a worker."""
        self.ground.tick()
        before, unlock = self._rows(), bool(which % 2)
        dry = jobs_cleanup(self.ground.ports, DRY, older_s=0, unlock=unlock)
        assert self._rows() == before, "a dry run changed something"
        done = jobs_cleanup(self.ground.ports, YES, older_s=0, unlock=unlock)
        assert outline(dry) == outline(done), "a dry run tells something else"
        jobs, deltas = self._changed(before)
        assert jobs == {*done.requeued, *done.failed, *done.superseded}
        assert len(deltas) <= done.deltas_reset + len(done.deltas_doubtful)
        self.again |= {*done.requeued}
        held = {actor.job for actor in (*self.workers, *self.orphans)}
        assert all(job.id in held for job in self._jobs() if job.status in ACTIVE), "a project stays blocked"

    # invariants

    @invariant()
    def everything_is_well(self) -> None:
        """Every edit pushed to an existing project is in the data once, or listed with the reason why not."""
        deltas, jobs = self._deltas(), self._jobs()
        assert {delta.id for delta in deltas} == set(self.pushed), "an edit is gone"
        in_work = {name for job in jobs if job.status in OPEN for name in self.ground.waiting_edits(job.id)}
        for delta in deltas:
            self._is_there_once(delta, delta.id in in_work)
        self._are_listed(deltas)
        self._came_in_order({delta.id: delta.status for delta in deltas})

    def _is_there_once(self, delta: Delta, is_in_work: bool) -> None:
        times = self.ground.data[delta.id]
        assert times <= 1, "an edit was applied twice"
        if delta.status == "applied":
            assert times == 1, "an edit is called applied and is not there"
        elif times:
            assert delta.is_in_doubt or is_in_work, "an edit is in the data and nobody says so"
        if delta.status in SETTLED:
            assert delta.feedback or delta.is_in_doubt, "nobody says why an edit did not arrive"
        if delta.status == "started":
            assert is_in_work, "an edit is called started and no job has it"

    def _are_listed(self, deltas: tuple[Delta, ...]) -> None:
        """Every edit that has not arrived is in the operators' list, with its fix."""
        listed = {line.id: line for line in deltas_list(self.ground.ports, limit=1000).deltas}
        assert set(listed) == {delta.id for delta in deltas if delta.status != "applied"}
        assert all(line.fix for line in listed.values() if line.status in SETTLED)

    def _came_in_order(self, states: dict[str, str]) -> None:
        """Without a failure or an operator in between, older edits arrive first."""
        for project in self.projects:
            quiet = [name for name in self.order.get(project, ()) if name not in self.disturbed]
            arrived = [states[name] in ("applied", "conflict", "not_applied") for name in quiet]
            assert arrived == sorted(arrived, reverse=True), "a younger edit came before an older one"

    # helpers

    @property
    def idle(self) -> list[Actor]:
        """The workers without a job."""
        return [actor for actor in self.workers if actor.job is None]

    def busy(self, *, begun: bool) -> list[Actor]:
        """Return the workers with a job that they have started, or not."""
        return [actor for actor in self.workers if actor.job is not None and actor.has_begun is begun]

    def _claim(self, actor: Actor) -> bool:
        """Let a worker claim a job; check that it is the right one."""
        waiting = [job for job in self._jobs() if job.status is JobStatus.PENDING]
        edits = {job.id: self._arrivals(job.id) for job in waiting if job.type == "delta_apply"}
        taken = self.ground.claim(actor)
        if taken is None:
            return False
        beside = [job for job in waiting if job.project_id == taken.project_id and job.id != taken.id]
        if taken.type == "package" and taken.id not in self.moved_to_front:
            again = [job for job in beside if job.id in self.again and job.type == "delta_apply"]
            assert not again, "a package comes before edits made again"
        own = edits.get(taken.id)
        left = [edits[job.id] for job in beside if edits.get(job.id)]
        assert not own or all(max(other) > min(own) for other in left), "edits come before all of an older job"
        return True

    def _has_begun(self, actor: Actor) -> bool:
        """Let a worker claim and start a job unless it has one; return whether it has one."""
        if actor.job is None and not self._claim(actor):
            return False
        if not actor.has_begun:
            self._begin(actor)
        return actor.has_begun

    def _begin(self, actor: Actor) -> None:
        self.ground.begin(actor)
        if not actor.has_begun:
            self._rest(actor)  # it lost the job
        places = [self._place(delta) for delta in actor.deltas]
        assert places == sorted(places), "edits of a job are not in the order of their arrival"

    def _finish(self, actor: Actor, became: list[str]) -> None:
        self.ground.finish(actor, outcomes_of(actor, became))
        self._rest(actor)

    def _fail(self, actor: Actor) -> None:
        self.disturbed |= {*actor.deltas}
        self.ground.fail(actor)
        self._rest(actor)

    def _change(self, act: Callable[[Options], Changed], *, again: bool = True) -> Changed:
        """Run a change dry, then for real; the reported changes must be the real ones."""
        self.ground.tick()
        before = self._rows()
        dry = act(DRY)
        assert self._rows() == before, "a dry run changed something"
        done = act(YES)
        assert (dry.jobs, dry.deltas, dry.refused) == (done.jobs, done.deltas, done.refused)
        jobs, deltas = self._changed(before)
        assert jobs == {*done.jobs}, "other jobs were changed than reported"
        assert deltas <= {*done.deltas}, "other edits were changed than reported"
        if again:
            self.again |= {*done.jobs}
        return done

    def _reapply(self, selection: DeltaSelection) -> None:
        self.ground.tick()
        before = self._rows()
        dry = deltas_reapply(self.ground.ports, selection, DRY)
        assert self._rows() == before, "a dry run changed something"
        done = deltas_reapply(self.ground.ports, selection, YES)
        assert (len(dry.jobs), dry.deltas, dry.refused) == (len(done.jobs), done.deltas, done.refused)
        jobs, deltas = self._changed(before)
        assert jobs == {*done.jobs}
        assert deltas <= {*done.deltas}
        self.again |= {*done.jobs}
        self.disturbed |= {*done.deltas}

    def _changed(self, before: dict[str, Any]) -> tuple[set[str], set[str]]:
        """Return the ids of the jobs and of the edits whose state has changed."""
        after = self._rows()
        jobs, deltas = before["jobs"], before["deltas"]
        return (
            {name for name, row in after["jobs"].items() if jobs.get(name, (None,))[0] != row[0]},
            {name for name, status in after["deltas"].items() if deltas.get(name) != status},
        )

    def _rows(self) -> dict[str, Any]:
        return {
            "jobs": {job.id: (job.status, job.created_at, job.project_locked_at) for job in self._jobs()},
            "deltas": {delta.id: delta.status for delta in self._deltas()},
        }

    def _jobs(self) -> tuple[Job, ...]:
        return self.ground.world.store.jobs(limit=EVERYTHING)

    def _deltas(self) -> tuple[Delta, ...]:
        return self.ground.world.store.deltas(limit=EVERYTHING)

    def _arrivals(self, job: str) -> list[int]:
        return [self._place(delta) for delta in self.ground.waiting_edits(job)]

    def _place(self, delta: str) -> int:
        """Return the place of an edit among those of its project."""
        return self.order[self.pushed[delta]].index(delta)

    def _rest(self, actor: Actor) -> None:
        actor.job, actor.deltas, actor.has_begun = None, (), False


Thing = TypeVar("Thing")


def pick(found: Sequence[Thing], which: int) -> Sequence[Thing]:
    """Return one of many as a sequence; an empty one if there are none."""
    return (found[which % len(found)],) if found else ()


def outcomes_of(actor: Actor, became: list[str]) -> dict[str, str]:
    """Return an outcome for each edit that a worker has, in turn from the given ones."""
    return {delta: became[number % len(became)] for number, delta in enumerate(actor.deltas)}


def outline(result: Cleaned) -> tuple[Any, ...]:
    """Return the part of a result that a dry run and the real run share."""
    return tuple(value for name, value in vars(result).items() if name != "dry_run")


def run(make: Callable[[], Ground], *, examples: int, steps: int) -> None:
    """Try histories: always the same ones in a usual run, new ones if more are requested."""
    more = int(os.environ.get("QFC_TEST_HISTORIES", "0"))
    chosen = settings(
        max_examples=more or examples,
        stateful_step_count=steps,
        derandomize=not more,
        deadline=None,
        database=None,
        print_blob=True,
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(lambda: Histories(make), settings=chosen)


@pytest.fixture(params=["memory", "node", "2024_09", "2025_11"])
def make(request: pytest.FixtureRequest) -> Callable[[], Ground]:
    """Create an empty server of a kind."""
    if request.param == "memory":
        return MemoryGround
    databases: SharedDatabases = request.getfixturevalue("shared_databases")

    def made() -> Ground:
        databases.restore(request.param)
        return DatabaseGround(lambda: connect(databases.endpoint(request.param)))

    return made


@pytest.mark.parametrize("history", KNOWN)
def test_known_histories(history: str, make: Callable[[], Ground]) -> None:
    machine = Histories(make)
    try:
        machine.begin(projects=1, sent=[(0, 2)])
        for step in history.split():
            name, which = step.rstrip("0123456789"), int(step.lstrip("abcdefghijklmnopqrstuvwxyz_"))
            if name == "push":
                machine.push(which, 1)
            elif name in OPERATION:
                machine.operator_acts(which, name)
            else:
                getattr(machine, name)(which, ["applied"])
            machine.everything_is_well()
    finally:
        machine.teardown()


def test_any_history(make: Callable[[], Ground], request: pytest.FixtureRequest) -> None:
    is_memory = request.node.callspec.params["make"] == "memory"
    run(make, examples=60 if is_memory else 8, steps=40 if is_memory else 30)
