"""What the scenario needs of its caller, and what it gives back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from ..errors import QfcError


class RunningWorker(NamedTuple):
    """A worker process of the stack, and the job that it holds at the moment."""

    id: str
    pid: int
    job_id: str | None


class Operator(Protocol):
    """What only the one who runs the stack can do; everything else goes over HTTP."""

    def create_user(self, username: str, password: str, superuser: bool = False) -> None:
        """Make an account. Raises QfcError."""
        ...

    def workers(self) -> Sequence[RunningWorker]:
        """The workers that live now. Called many times a second."""
        ...

    def kill_worker(self, pid: int) -> None:
        """Send SIGKILL to a worker."""
        ...

    def status(self) -> str:
        """The stack's verdict: ok, degraded, down or unknown."""
        ...


class ScenarioError(QfcError):
    """Something was not as it should be; the message says what."""

    code = "scenario"


@dataclass(frozen=True)
class Step:
    """One step that was taken. `detail` is what a person wants to read about it."""

    name: str
    seconds: float
    ok: bool
    detail: str


@dataclass(frozen=True)
class Kill:
    """The worker that was killed. `heal_seconds`: from the signal to the end of the job that it held.

    `misses` counts kills that came when the job was over already; `successor_pid` is None when the job was done so fast
    that nobody was seen with it.
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
        """Whether every planned step was taken and went well."""
        return len(self.steps) == self.planned and all(step.ok for step in self.steps)

    @property
    def seconds(self) -> float:
        """Sum of all steps."""
        return sum(step.seconds for step in self.steps)
