"""A simulated stack with a virtual clock, watched by the monitor's decisions: faults, repairs, operators, blindness."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from qfc.stack.findings import Auto, Finding, Severity, clear, problem
from qfc.stack.monitor import Decision, Limits, Look, Message, Operation, Orders, Pause, State, acted, decide
from qfc.stack.monitor.alone import ALONE
from qfc.stack.monitor.codec import document, restored

BEGIN = datetime(2026, 3, 1, tzinfo=UTC)
#: Checks of every look, and of deep looks only.
CHEAP = ("A11", "D12-away", "A17", "D11", "D11-few", "D07", "D08", "A15")
DEEP = ("B14-nginx", "I05-old", "B08")
WARNINGS = ("D11-few", "I05-old")


@dataclass
class Fault:
    """A fault of the simulated stack. `repairs` says whether a repair helps."""

    id: str
    since_s: float
    repairs: bool


@dataclass
class Story:
    """What happened: repairs and messages with their times, faults with their beginnings and ends."""

    repairs: list[tuple[float, str]] = field(default_factory=list)
    messages: list[tuple[float, Message]] = field(default_factory=list)
    faults: list[tuple[str, float, float]] = field(default_factory=list)
    decisions: list[Decision] = field(default_factory=list)

    def told(self, kind: str, id: str | None = None) -> list[float]:
        """Return when messages told this of an alert."""
        words = f"{kind} {id} " if id else f"{kind} "
        return [at for at, one in self.messages for line in one.body.splitlines() if line.startswith(words)]


class Simulation:
    """A stack and its monitor. Time passes only in `run`."""

    def __init__(self, limits: Limits | None = None) -> None:
        self.limits = limits or Limits()
        self.now_s, self.jumped_s = 0.0, 0.0
        self.state, self.orders = State(), Orders()
        self.faults: dict[str, Fault] = {}
        self.story = Story()
        self.busy_until_s = self.blind_until_s = 0.0
        self.disturbs = True
        self.restarts = 0
        self._deep_s = float("-inf")
        self._also: tuple[str, ...] = ()
        self._wake_s = self._looked_s = 0.0

    @property
    def at(self) -> datetime:
        """What the wall clock shows."""
        return BEGIN + timedelta(seconds=self.now_s + self.jumped_s)

    def break_(self, id: str, *, repairs: bool = True) -> None:
        """Cause a fault, unless it is there."""
        self.faults.setdefault(id, Fault(id, self.now_s, repairs))

    def mend(self, id: str) -> None:
        """End a fault."""
        fault = self.faults.pop(id, None)
        if fault is not None:
            self.story.faults.append((id, fault.since_s, self.now_s))

    def pause(self, seconds: float | None) -> None:
        """Pause the monitor; None ends a pause."""
        until = None if seconds is None else self.at + timedelta(seconds=seconds)
        self.orders = Orders(pause=Pause("anna", "works on it", self.at, until) if until else None)

    def operate(self, seconds: float, *, disturbs: bool = True) -> None:
        """Let somebody hold the lock."""
        self.busy_until_s, self.disturbs = self.now_s + seconds, disturbs

    def restart_monitor(self) -> None:
        """End the monitor and start another one, which knows what was stored."""
        self.state = restored(State, json.loads(json.dumps(document(self.state))))
        self._also = ()
        self._deep_s = float("-inf")

    def run(self, seconds: float) -> None:
        """Let time pass."""
        end = self.now_s + seconds
        while self._wake_s <= end:
            self.now_s = max(self._wake_s, self.now_s)
            self._turn()
        self.now_s = end

    @property
    def is_hindered(self) -> bool:
        """Whether nothing may be repaired."""
        paused = self.orders.paused(self.at) is not None
        return self.now_s < self.busy_until_s or self.now_s < self.blind_until_s or paused

    def _turn(self) -> None:
        decision = decide("sim", self.state, self._look(), self.orders, self.limits)
        self.state, self._also = decision.state, decision.also
        self.story.decisions.append(decision)
        assert decision.notes and all(one.endswith((".", "!")) for one in decision.notes)
        if decision.message is not None:
            self.story.messages.append((self.now_s, decision.message))
        if decision.action is not None:
            self._repair(decision.action.id)
        self._wake_s = self.now_s + decision.next_s

    def _repair(self, id: str) -> None:
        assert not self.is_hindered, "a repair while locked, blind or paused"
        assert id in ALONE and id in self.faults, f"{id} is repaired, but is not there"
        self.story.repairs.append((self.now_s, id))
        if self.faults[id].repairs:
            self.mend(id)
        self.state = acted(self.state, id, "Done.", self.at)

    def _look(self) -> Look:
        is_deep = self.now_s - self._deep_s >= self.limits.deep_s
        if is_deep and self.now_s >= self.blind_until_s:
            self._deep_s = self.now_s
        elapsed, self._looked_s = self.now_s - self._looked_s, self.now_s
        if self.now_s < self.blind_until_s:
            return Look(self.at, elapsed, unseen="the host does not answer.")
        asked = [*CHEAP, *(DEEP if is_deep else (one for one in DEEP if one in self._also))]
        operation = None
        if self.now_s < self.busy_until_s:
            operation = Operation("anna@desk (pid 1)", "deploy sim", self.at, self.disturbs)
        findings = tuple(self._finding(id) for id in asked)
        return Look(self.at, elapsed, findings, is_deep, {"app": self.restarts}, operation)

    def _finding(self, id: str) -> Finding:
        severity = Severity.WARNING if id in WARNINGS else Severity.CRITICAL
        if id not in self.faults:
            return clear(id, severity=severity)
        found = problem(id, severity, f"{id} is there.")
        auto = Auto.SAFE if id in ALONE else Auto.NO
        return Finding(id, found.verdict, found.evidence, severity, f"Title of {id}", "Repair it.", auto)
