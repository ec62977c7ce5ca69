"""Run the whole workflow on a stack of its own: devices, edits, a killed worker; every edit is applied exactly once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ..demo.results import RunningWorker, ScenarioResult, Step
from ..demo.scenario import run_scenario
from ..stack.ports import Ports
from .down import down
from .guard import Options
from .status import Status, status
from .up import up
from .users_create import users_create


@dataclass(frozen=True)
class Demo:
    """The result of the demo, and the stack's status after it. `ok`: every step succeeded."""

    scenario: ScenarioResult
    status: Status
    stopped: bool

    @property
    def ok(self) -> bool:
        """Whether every step succeeded."""
        return self.scenario.ok


def demo_plan(*, once: bool) -> tuple[str, ...]:
    """Return what the demo would do, for a dry run."""
    steps = (
        "Configure a stack named demo and start it",
        "Create three users; upload a survey and package it",
        "Push edits from two devices, and kill a worker while it applies them",
        "Compare every edit with the expected result",
    )
    return (*steps, "Stop the stack") if once else steps


def demo(ports: Ports, options: Options, *, once: bool, on_step: Callable[[Step], None]) -> Demo:
    """Start the stack, run the scenario, read the status; with `once` always stop the stack afterwards."""
    try:
        up(ports, options)
        result = run_scenario(f"{ports.api.url}/api/v1/", StackOperator(ports, options), on_step)
        seen = status(ports)
    finally:
        if once:
            down(ports, options, now=True)
    return Demo(result, seen, once)


class StackOperator:
    """Does for the scenario what only the operator of the stack can do."""

    def __init__(self, ports: Ports, options: Options) -> None:
        self._ports, self._options = ports, options

    def create_user(self, username: str, password: str, superuser: bool = False) -> None:
        """Create a user."""
        email = f"{username}@example.org"
        users_create(self._ports, username, email=email, superuser=superuser, password=password, options=self._options)

    def workers(self) -> Sequence[RunningWorker]:
        """Return the living workers."""
        known = self._ports.workload.workers()
        return [RunningWorker(one.id, one.pid, one.job_id) for one in known if one.pid is not None]

    def kill_worker(self, pid: int) -> None:
        """Kill a worker as a power cut would."""
        self._ports.host.run(["kill", "-KILL", str(pid)])

    def status(self) -> str:
        """Return the stack's verdict."""
        return status(self._ports).verdict.value
