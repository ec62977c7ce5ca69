"""One run of a job: its steps in order, under the stack's lock where it changes something, and what is remembered.

A step that fails does not keep the next ones from running, unless they need it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from ...errors import LockHeldError, QfcError, RefusedError, UsageError
from ...stack import journal
from ...stack.maintenance import (
    JOBS,
    MaintenanceJob,
    Run,
    StepResult,
    added,
    from_document,
    never_ended,
    to_document,
)
from ...stack.ports import Ports, Post
from ..guard import Options, guarded
from ..held import held
from .stats import STATS
from .steps import STEPS, SkippedError, Step, unattended
from .telling import ROUNDS, report_round, sending

FOLDER = "maintenance"


@dataclass(frozen=True)
class MaintenanceRun:
    """What a run did; with `--dry-run`, what it would do. `result` is done, skipped or failed."""

    job: str
    result: str
    steps: tuple[StepResult, ...]
    dry_run: bool

    @property
    def exit_code(self) -> int:
        """0, or 1 if a step failed."""
        return int(self.result == "failed")


@dataclass(frozen=True)
class MaintenanceHistory:
    """The last runs of all jobs, the newest first; `unended` are jobs whose last run was killed."""

    runs: tuple[Run, ...]
    unended: tuple[str, ...]


def job_named(name: str) -> MaintenanceJob:
    """Return a job. Raises UsageError."""
    for job in JOBS:
        if job.name == name:
            return job
    raise UsageError(f"There is no job {name}.", hint=f"The jobs are: {', '.join(one.name for one in JOBS)}")


def maintenance_run(ports: Ports, name: str, options: Options, *, posts: Sequence[Post] = ()) -> MaintenanceRun:
    """Run a job; people are told by `posts`. Raises UsageError for an unknown one.

    Raises LockHeldError while somebody else changes the stack, RefusedError after an operation that was interrupted.
    """
    job = job_named(name)
    if options.dry_run:
        return _planned(job, posts)
    if not job.changes:
        holder = ports.lock.holder()
        if holder is not None:
            raise LockHeldError(f"{holder} is at work: {holder.reason}.", hint="The next run comes by itself.")
        return _remembered(ports, job, ports, options, posts)
    with guarded(ports, "maintenance run", target=name, options=options, recovers=False) as guard:
        _require_whole(ports)
        done = _remembered(ports, job, held(ports), options, posts)
        guard.result = done.result if done.result != "failed" else f"failed: {_failures(done)}"
    return done


def _require_whole(ports: Ports) -> None:
    """Refuse to finish or undo an interrupted operation while nobody looks. Call it under the lock.

    The steps would do that, as every change does: it holds for all of them, since nobody else can begin an operation.
    """
    entry = journal.read(ports.records)
    if entry is not None:
        raise RefusedError(
            f"{entry.operation} was interrupted; maintenance waits until somebody finishes or undoes it.",
            hint="See: qfc status; any change finishes or undoes it: qfc up",
        )


def maintenance_history(ports: Ports) -> MaintenanceHistory:
    """Return the last runs."""
    by_job = {job.name: runs_of(ports, job.name) for job in JOBS}
    runs = sorted((run for runs in by_job.values() for run in runs), key=lambda one: one.began_at, reverse=True)
    return MaintenanceHistory(tuple(runs), tuple(name for name, runs in by_job.items() if is_unended(ports, runs)))


def runs_of(ports: Ports, name: str) -> tuple[Run, ...]:
    """Return the kept runs of a job, the oldest first."""
    return from_document(ports.records.read(f"{FOLDER}/{name}.json"))


def is_unended(ports: Ports, runs: Sequence[Run]) -> bool:
    """Return whether the last run of a job began and was killed."""
    return bool(runs) and never_ended(runs[-1], ports.clock.now(), is_locked=ports.lock.holder() is not None)


def _planned(job: MaintenanceJob, posts: Sequence[Post]) -> MaintenanceRun:
    steps = tuple(StepResult(step.name, "planned", "") for step in _steps_of(job, posts))
    return MaintenanceRun(job.name, "planned", steps, True)


def _steps_of(job: MaintenanceJob, posts: Sequence[Post]) -> Sequence[Step]:
    return (*STEPS[job.name], sending(posts)) if job.name == STATS else STEPS[job.name]


def _remembered(
    ports: Ports, job: MaintenanceJob, own: Ports, options: Options, posts: Sequence[Post]
) -> MaintenanceRun:
    """Run the steps with the ports `own`; note the beginning, each step and the end."""
    run = Run(job.name, ports.clock.now())
    _keep(ports, run)
    for step in _steps(own, _steps_of(job, posts), options):
        run = replace(run, steps=(*run.steps, step))
        options.report(f"{step.name}: {step.sentence}")
    run = replace(run, ended_at=ports.clock.now())
    _keep(ports, run)
    if job.name == ROUNDS:
        report_round(own, run, posts)
    return MaintenanceRun(job.name, run.result, run.steps, False)


def _steps(ports: Ports, steps: Sequence[Step], options: Options) -> Iterator[StepResult]:
    done: set[str] = set()
    for step in steps:
        if step.needs and step.needs not in done:
            yield StepResult(step.name, "skipped", f"The step {step.needs} was not done.")
            continue
        began = ports.clock.monotonic()
        result, sentence = _tried(ports, step, options)
        if result == "done":
            done.add(step.name)
        yield StepResult(step.name, result, sentence, round(ports.clock.monotonic() - began, 3))


def _tried(ports: Ports, step: Step, options: Options) -> tuple[str, str]:
    try:
        return "done", step.do(ports, unattended(options))
    except SkippedError as error:
        return "skipped", error.message
    except QfcError as error:
        return "failed", error.message


def _failures(done: MaintenanceRun) -> str:
    return " ".join(one.sentence for one in done.steps if one.result == "failed")


def _keep(ports: Ports, run: Run) -> None:
    ports.records.write(f"{FOLDER}/{run.job}.json", to_document(added(runs_of(ports, run.job), run)))
