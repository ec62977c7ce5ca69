"""What a fault is."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from ..stack.model import OFFERED, Capability, Kind
from ..stack.ports import LabRows, Ports

#: What is needed to undo a fault, as JSON keeps it.
UndoData = Mapping[str, Any]
WORKER = "worker_wrapper"


@dataclass(frozen=True)
class Fault(ABC):
    """Something that goes wrong, made on purpose. `finds` are the checks of which at least one has to find it.

    `needs` is what a stack has to offer for it.
    """

    id: str
    title: str
    finds: tuple[str, ...]
    needs: Capability | None = None

    @property
    def kinds(self) -> tuple[Kind, ...]:
        """The kinds of stack that can have it."""
        return tuple(kind for kind in OFFERED if self.needs is None or kind.offers(self.needs))

    def is_possible(self, ports: Ports) -> bool:
        """Tell whether a stack can have it."""
        return self.needs is None or ports.offers(self.needs)

    def look(self, ports: Ports) -> UndoData:
        """Return what is needed to undo it, before it is made; change nothing. Raises RefusedError if it cannot be."""
        del ports
        return {}

    @abstractmethod
    def make(self, ports: Ports, known: UndoData) -> None:
        """Break it."""

    @abstractmethod
    def undo(self, ports: Ports, known: UndoData) -> None:
        """Make it be as before, also where it was half made or not at all."""


@dataclass(frozen=True)
class Scene:
    """Where rows are put: a project of an account that exists for one fault only."""

    rows: LabRows
    account: str
    now: datetime

    def before(self, minutes: float) -> datetime:
        """Return the moment so many minutes ago."""
        return self.now - timedelta(minutes=minutes)

    def project(self, name: str = "survey", **values: object) -> str:
        """Make a project of the account; return its id."""
        return self.rows.project(self.account, name, made_at=self.before(24 * 60), **values)


@dataclass(frozen=True)
class RowFault(Fault):
    """Rows that belong to an account of their own, and go with it. `workers` says whether workers go on meanwhile.

    Workers of the embedded node put right at once what they find in the queue: where rows shall stay, they are stopped.
    """

    workers: bool = True

    @property
    def account(self) -> str:
        """The account's name."""
        return f"qfc-lab-{self.id}"

    def make(self, ports: Ports, known: UndoData) -> None:
        """Make the account and its rows."""
        del known
        if not self.workers:
            ports.runtime.stop([WORKER], now=True)
        ports.lab.account(self.account)
        self.fill(Scene(ports.lab, self.account, ports.clock.now()))

    def undo(self, ports: Ports, known: UndoData) -> None:
        """Remove the account with everything."""
        del known
        ports.lab.remove(self.account)
        if not self.workers:
            ports.runtime.start([WORKER])

    @abstractmethod
    def fill(self, scene: Scene) -> None:
        """Make the rows."""
