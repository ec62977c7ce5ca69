"""The Fault class: something that goes wrong, and how to undo it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from ..errors import QfcError
from ..stack.model import OFFERED, Capability, Kind
from ..stack.ports import LabRows, Ports

#: The data needed to undo a fault, as JSON values.
UndoData = Mapping[str, Any]
WORKER = "worker_wrapper"


@dataclass(frozen=True)
class Fault(ABC):
    """A fault that is injected on purpose. At least one of the checks in `finds` must find it.

    `needs` is the capability that a stack needs for it.
    """

    id: str
    title: str
    finds: tuple[str, ...]
    needs: Capability | None = None

    @property
    def recreates(self) -> bool:
        """Whether undoing it recreates services, which then read everything that other faults have in `.env`."""
        return False

    @property
    def kinds(self) -> tuple[Kind, ...]:
        """The kinds of stack that can have the fault."""
        return tuple(kind for kind in OFFERED if self.needs is None or kind.offers(self.needs))

    def is_possible(self, ports: Ports) -> bool:
        """Return whether a stack can have the fault."""
        return self.needs is None or ports.offers(self.needs)

    def look(self, ports: Ports) -> UndoData:
        """Return the data needed to undo the fault; change nothing. Raises RefusedError where it is not possible."""
        del ports
        return {}

    @abstractmethod
    def make(self, ports: Ports, known: UndoData) -> None:
        """Inject the fault."""

    @abstractmethod
    def undo(self, ports: Ports, known: UndoData) -> None:
        """Restore the previous state, even if the fault was injected only in part or not at all."""


@dataclass(frozen=True)
class Scene:
    """The place for a fault's rows: an account that exists for this fault only."""

    rows: LabRows
    account: str
    now: datetime

    def before(self, minutes: float) -> datetime:
        """Return the time `minutes` minutes ago."""
        return self.now - timedelta(minutes=minutes)

    def project(self, name: str = "survey", **values: object) -> str:
        """Create a project of the account; return its id."""
        return self.rows.project(self.account, name, made_at=self.before(24 * 60), **values)


@dataclass(frozen=True)
class RowFault(Fault):
    """Rows of an account of their own, which are removed with it. `workers` says whether workers keep running.

    Workers of the embedded node repair the queue at once, so they are stopped where faulty rows have to stay.
    """

    workers: bool = True

    @property
    def account(self) -> str:
        """The account's name."""
        return f"qfc-lab-{self.id}"

    def make(self, ports: Ports, known: UndoData) -> None:
        """Create the account and its rows. Workers that were stopped for it run again where that fails."""
        del known
        if not self.workers:
            ports.runtime.stop([WORKER], now=True)
        try:
            ports.lab.account(self.account)
            self.fill(Scene(ports.lab, self.account, ports.clock.now()))
        except QfcError:
            self._start_workers(ports)
            raise

    def undo(self, ports: Ports, known: UndoData) -> None:
        """Remove the account with all its rows; workers run again, whatever becomes of the rows."""
        del known
        try:
            ports.lab.remove(self.account)
        finally:
            self._start_workers(ports)

    def _start_workers(self, ports: Ports) -> None:
        if not self.workers:
            ports.runtime.start([WORKER])

    @abstractmethod
    def fill(self, scene: Scene) -> None:
        """Create the rows."""
