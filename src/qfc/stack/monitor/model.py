"""Looks, limits, what is known from one look to the next, and decisions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from ..findings import Finding, Severity

#: The name under which all repairs together are given up.
ALL = "all"


@dataclass(frozen=True)
class Limits:
    """The limits of a monitor. Names that end in `_s` are seconds; see docs/howto/monitor.md for the reasons."""

    #: From one look to the next; while something is in doubt; from one deep look to the next.
    look_s: float = 10
    hurry_s: float = 4
    deep_s: float = 300
    #: A problem is confirmed by so many looks in a row, or by `some` of the last `of`.
    in_row: int = 2
    some: int = 3
    of: int = 5
    #: It is over after so many looks in a row without it, over at least so long.
    clear_in_row: int = 3
    clear_s: float = 60
    #: What an operation has just left is not judged for so long.
    settle_s: float = 10
    #: Between two repairs of a problem: doubled each time, up to the longest; as at first after so long without it.
    wait_s: float = 10
    longest_wait_s: float = 300
    healthy_s: float = 600
    #: Repairs of one problem in 15 minutes and in an hour, of all problems in 10 minutes.
    per_quarter: int = 3
    per_hour: int = 5
    for_all: int = 5
    #: A service that restarted so often in 10 minutes, whoever restarted it, is in a crash loop.
    crash_loop: int = 5
    #: News wait for others that belong to them; messages are at least so far apart; open alerts are repeated.
    group_s: float = 30
    message_s: float = 60
    repeat_s: float = 4 * 3600
    #: An alert that was raised or cleared more often than this in half an hour is flapping.
    flips: int = 4
    flap_s: float = 1800
    #: An operation that holds the lock longer than this is worth an alert.
    long_operation_s: float = 4 * 3600
    #: Whether anything is repaired at all, and from which severity on alerts are told.
    heals: bool = True
    severity: Severity = Severity.WARNING


@dataclass(frozen=True)
class Operation:
    """Somebody else's operation on the stack, as their lock describes it. `disturbs`: it may stop services."""

    who: str
    reason: str
    since: datetime
    disturbs: bool = True

    def __str__(self) -> str:
        return f"{self.who} is at work: {self.reason}"


@dataclass(frozen=True)
class Look:
    """What was seen of a stack at one moment.

    `elapsed_s` are the seconds since the previous look, by a clock that never jumps. `is_deep`: all checks were asked.
    `restarts` counts unrequested restarts by service. `unseen` says why nothing could be seen, `stopped` who stopped
    the stack on purpose. `is_silent`: nothing can be seen because the host does not answer; `is_cut_off`: because the
    monitor's own network is gone.
    """

    at: datetime
    elapsed_s: float = 0.0
    findings: tuple[Finding, ...] = ()
    is_deep: bool = False
    restarts: Mapping[str, int] = field(default_factory=dict[str, int])
    operation: Operation | None = None
    interrupted: str | None = None
    stopped: str | None = None
    unseen: str | None = None
    is_silent: bool = False
    is_cut_off: bool = False


@dataclass(frozen=True)
class Pause:
    """A pause of the monitor; without `until` it lasts until somebody ends it."""

    who: str
    why: str
    since: datetime
    until: datetime | None = None

    def __str__(self) -> str:
        until = f" until {self.until:%Y-%m-%d %H:%M} UTC" if self.until else ""
        return f"paused by {self.who}{until}: {self.why}"


@dataclass(frozen=True)
class Silence:
    """An alert that is not told for a while. `alert` is its id, or `*` for every one."""

    alert: str
    who: str
    why: str
    since: datetime
    until: datetime


@dataclass(frozen=True)
class Acknowledgement:
    """An open alert that somebody takes care of: it is not repeated."""

    alert: str
    who: str
    why: str
    since: datetime


@dataclass(frozen=True)
class Orders:
    """What people have told the monitor. `armed_at` is when somebody last let it repair again what it had given up."""

    pause: Pause | None = None
    silences: tuple[Silence, ...] = ()
    acknowledged: tuple[Acknowledgement, ...] = ()
    armed_at: datetime | None = None

    def paused(self, now: datetime) -> Pause | None:
        """Return the pause that holds now."""
        pause = self.pause
        return pause if pause is not None and (pause.until is None or now < pause.until) else None

    def silence(self, alert: str, now: datetime) -> Silence | None:
        """Return the silence that holds now for an alert."""
        found = (one for one in self.silences if one.alert in (alert, "*") and now < one.until)
        return next(found, None)

    def acknowledgement(self, alert: str, opened: datetime) -> Acknowledgement | None:
        """Return the acknowledgement of an alert that was opened then."""
        return next((one for one in self.acknowledged if one.alert == alert and one.since >= opened), None)


#: Nobody has ordered anything.
NOBODY = Orders()


@dataclass(frozen=True)
class Track:
    """What was seen of one problem: the last looks, the oldest first, and the newest evidence.

    It was first seen at `since` (`since_s`); `clear_since_s` is when it was first not seen any more.
    """

    finding: Finding
    since: datetime
    since_s: float
    recent: tuple[bool, ...] = ()
    is_confirmed: bool = False
    clear_since_s: float | None = None

    @property
    def is_found(self) -> bool:
        """Whether the last look found it."""
        return bool(self.recent) and self.recent[-1]


@dataclass(frozen=True)
class Try:
    """A repair that was tried."""

    id: str
    at_s: float


@dataclass(frozen=True)
class Alert:
    """A confirmed problem that is worth telling. None: not told, not over. `tried` are repairs with their results."""

    id: str
    finding: Finding
    opened: datetime
    opened_s: float
    told_s: float | None = None
    closed: datetime | None = None
    closed_s: float | None = None
    tried: tuple[str, ...] = ()


@dataclass(frozen=True)
class State:
    """What a monitor knows of a stack from one look to the next."""

    now_s: float = 0.0
    tracks: Mapping[str, Track] = field(default_factory=dict[str, Track])
    alerts: Mapping[str, Alert] = field(default_factory=dict[str, Alert])
    tries: tuple[Try, ...] = ()
    #: When back-off of a problem began again at its shortest, because what it depends on has recovered.
    forgiven: Mapping[str, float] = field(default_factory=dict[str, float])
    given_up: Mapping[str, str] = field(default_factory=dict[str, str])
    armed_at: datetime | None = None
    restarts: Mapping[str, int] = field(default_factory=dict[str, int])
    restarted: tuple[Try, ...] = ()
    flips: tuple[Try, ...] = ()
    flapping: tuple[str, ...] = ()
    message_s: float | None = None
    settled_s: float = 0.0


@dataclass(frozen=True)
class Action:
    """A repair to do: the check that has it, and why."""

    id: str
    sentence: str


@dataclass(frozen=True)
class Message:
    """A message for people, as short as it can be."""

    title: str
    body: str
    severity: Severity
    alerts: tuple[str, ...] = ()


@dataclass(frozen=True)
class Decision:
    """What follows from a look. `notes` are sentences, the most important one first.

    `opened` and `closed` are the alerts that began and ended. `next_s` is when to look again, `also` which checks to
    ask then besides the usual ones.
    """

    state: State
    notes: tuple[str, ...]
    action: Action | None = None
    message: Message | None = None
    opened: tuple[Alert, ...] = ()
    closed: tuple[Alert, ...] = ()
    next_s: float = 10
    also: tuple[str, ...] = ()
