"""The runs of a job, as they are kept beside the stack."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import Any, cast

#: The last runs of each job are kept.
MOST_RUNS = 50
#: A run that holds no lock may go on for this long: those without one only look.
PATIENCE = timedelta(minutes=10)


@dataclass(frozen=True)
class StepResult:
    """One step of a run: `done`, `skipped` or `failed`, and a sentence."""

    name: str
    result: str
    sentence: str
    seconds: float = 0.0


@dataclass(frozen=True)
class Run:
    """One run of a job. `ended_at` is None while it runs, and for ever if it was killed."""

    job: str
    began_at: datetime
    ended_at: datetime | None = None
    steps: tuple[StepResult, ...] = ()

    @property
    def result(self) -> str:
        """The worst result of its steps, or `running`."""
        if self.ended_at is None:
            return "running"
        results = {one.result for one in self.steps}
        return next((one for one in ("failed", "done", "skipped") if one in results), "done")


def added(runs: Sequence[Run], run: Run) -> tuple[Run, ...]:
    """Return the runs with another one, or with what is new of one; the oldest are dropped."""
    others = [one for one in runs if one.began_at != run.began_at]
    return tuple(sorted((*others, run), key=lambda one: one.began_at)[-MOST_RUNS:])


def never_ended(run: Run, now: datetime, *, is_locked: bool) -> bool:
    """Return whether a run was killed: it has no end, and nobody is at work any more."""
    return run.ended_at is None and not is_locked and now - run.began_at > PATIENCE


def to_document(runs: Sequence[Run]) -> dict[str, Any]:
    """Return the runs of a job as JSON knows them."""
    return {"runs": [{**asdict(one), "began_at": _text(one.began_at), "ended_at": _text(one.ended_at)} for one in runs]}


def from_document(document: Mapping[str, Any] | None) -> tuple[Run, ...]:
    """Read what `to_document` returns; a document that is damaged counts as empty."""
    try:
        return tuple(_run(one) for one in cast("Sequence[Mapping[str, Any]]", (document or {}).get("runs", ())))
    except (KeyError, TypeError, ValueError, AttributeError):
        return ()


def _run(one: Mapping[str, Any]) -> Run:
    run = Run(str(one["job"]), datetime.fromisoformat(one["began_at"]))
    ended = datetime.fromisoformat(one["ended_at"]) if one.get("ended_at") else None
    return replace(run, ended_at=ended, steps=tuple(StepResult(**step) for step in one.get("steps", ())))


def _text(moment: datetime | None) -> str | None:
    return moment and moment.isoformat()


def round_text(stack: str, run: Run) -> str:
    """Return what a run did, as Markdown."""
    head = f"# {stack}: {run.job} of {run.began_at:%Y-%m-%d %H:%M} UTC, {run.result}"
    steps = (f"- {one.name}: {one.result}. {one.sentence} ({one.seconds:.1f} s)" for one in run.steps)
    return "\n".join([head, "", *steps]) + "\n"
