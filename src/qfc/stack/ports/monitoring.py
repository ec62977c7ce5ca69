"""What a monitor leaves with a stack: who watches it, what it has seen and done, what people told it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from ..monitor import Decision, Look, Message, Orders, State
    from .records import Lock


@dataclass(frozen=True)
class Beat:
    """The trace of a monitor: who it is, since when, when it last looked. `ended` means that somebody ended it."""

    who: str
    pid: int
    since: datetime
    looked_at: datetime
    every_s: float
    ended: bool = False


@dataclass(frozen=True)
class Note:
    """A sentence of the monitor: said first and last at these moments, so many times in a row."""

    first: datetime
    last: datetime
    times: int
    text: str


@dataclass(frozen=True)
class Incident:
    """A confirmed problem from its beginning to its end, with what was seen, tried and told."""

    id: int
    alert: str
    title: str
    severity: str
    opened: datetime
    closed: datetime | None
    events: tuple[IncidentEvent, ...] = ()


@dataclass(frozen=True)
class IncidentEvent:
    """Something that belongs to an incident. `kind`: seen, tried, told."""

    at: datetime
    kind: str
    text: str


@dataclass(frozen=True)
class Letter:
    """A message in the outbox, for one route."""

    id: int
    at: datetime
    message: Message
    tries: int = 0


class History(Protocol):
    """What a monitor remembers of a stack, on this machine's disk. Used by one thread.

    Every method raises QfcError when the disk is full or the file cannot be used; a damaged file is set aside.
    """

    @property
    def remark(self) -> str | None:
        """What happened to the file, if anything did: it was damaged and set aside."""
        ...

    def state(self) -> State:
        """Return what was known after the last look."""
        ...

    def last_look(self) -> datetime | None:
        """Return when the last look was."""
        ...

    def keep(self, look: Look, decision: Decision) -> None:
        """Store a look and what was decided about it, with the incidents and the message that follow."""
        ...

    def keep_repair(self, alert: str, state: State, at: datetime, text: str) -> None:
        """Store the result of a repair, and what is known after it."""
        ...

    def looks(self, *, limit: int) -> Sequence[Look]:
        """Return the last looks, the oldest first."""
        ...

    def notes(self, *, limit: int) -> tuple[Note, ...]:
        """Return the last sentences, the newest first."""
        ...

    def incidents(self, *, limit: int) -> tuple[Incident, ...]:
        """Return the last incidents with their events, the newest first."""
        ...

    def letters(self, route: str, now: datetime) -> tuple[Letter, ...]:
        """Return what has to be sent by a route now, the oldest first."""
        ...

    def sent(self, letters: Sequence[Letter], route: str, now: datetime, *, error: str | None = None) -> None:
        """Store that letters were sent, or why not: then they are tried again, later each time."""
        ...

    def prune(self, now: datetime) -> None:
        """Thin and drop what is old."""
        ...

    def close(self) -> None:
        """Close the file."""
        ...


class Monitoring(Protocol):
    """What a monitor leaves with a stack."""

    @property
    def watch(self) -> Lock:
        """Lets one monitor at a time act for the stack; it is free as soon as that has ended."""
        ...

    def follow(self, wake: Callable[[], None]) -> bool:
        """Call `wake` whenever a service's process or container has ended, if anything reports that.

        Return whether something does. Calling it again changes nothing.
        """
        ...

    def history(self) -> History:
        """Open the history; it is created if it does not exist."""
        ...

    def orders(self) -> Orders:
        """Return what people told the monitor. Raises QfcError if it cannot be read."""
        ...

    def order(self, orders: Orders) -> None:
        """Replace what people told the monitor."""
        ...

    def beat(self) -> Beat | None:
        """Return the trace of the last monitor; None if there never was one, or it cannot be read."""
        ...

    def note(self, beat: Beat) -> None:
        """Replace the trace."""
        ...

    def touch(self) -> None:
        """Note that the monitor has just looked."""
        ...


class Post(Protocol):
    """A route by which messages reach people."""

    @property
    def name(self) -> str:
        """A short name without secrets."""
        ...

    def send(self, message: Message, about: Mapping[str, str]) -> None:
        """Send a message. Raises QfcError with a reason that holds no secret."""
        ...
