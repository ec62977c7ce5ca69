"""The interface between the scenario and its caller, and the results."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from ..errors import QfcError


class RunningWorker(NamedTuple):
    """A worker process of the stack, and its current job."""

    id: str
    pid: int
    job_id: str | None


class Operator(Protocol):
    """The actions that only an operator of the stack can take; everything else uses HTTP."""

    def create_user(self, username: str, password: str, superuser: bool = False) -> None:
        """Create an account. Raises QfcError."""
        ...

    def workers(self) -> Sequence[RunningWorker]:
        """Return the live workers. Called many times per second."""
        ...

    def kill_worker(self, pid: int) -> None:
        """Send SIGKILL to a worker."""
        ...

    def status(self) -> str:
        """Return the stack's verdict: ok, degraded, down or unknown."""
        ...


class ScenarioError(QfcError):
    """A step of the demo failed; the message gives the reason."""

    code = "scenario"


@dataclass(frozen=True)
class Step:
    """One step of the run. `detail` is its description for the reader."""

    name: str
    seconds: float
    ok: bool
    detail: str


@dataclass(frozen=True)
class Kill:
    """The worker that was killed. `heal_seconds`: from the signal to the end of the job that it held.

    `misses` counts kills that came after the end of the job; `successor_pid` is None if the job finished before any
    worker was seen with it.
    """

    job_id: str
    pid: int
    misses: int
    heal_seconds: float
    successor_pid: int | None


@dataclass(frozen=True)
class ScenarioResult:
    """The whole run. `deltas` counts the deltas by their last status, `features` the features by layer at the end."""

    url: str
    project_id: str
    steps: tuple[Step, ...]
    timings: Mapping[str, float] = field(default_factory=dict[str, float])
    deltas: Mapping[str, int] = field(default_factory=dict[str, int])
    features: Mapping[str, int] = field(default_factory=dict[str, int])
    kill: Kill | None = None
    planned: int = 0

    @property
    def ok(self) -> bool:
        """Whether every planned step was taken and succeeded."""
        return len(self.steps) == self.planned and all(step.ok for step in self.steps)

    @property
    def seconds(self) -> float:
        """Sum of all steps."""
        return sum(step.seconds for step in self.steps)
