"""Watches one stack: observe, decide, act, say. Every turn survives its own errors."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from dataclasses import replace
from threading import Event

from ..errors import LockHeldError, QfcError
from ..operations.monitor.heal import heal
from ..operations.monitor.observe import deep_findings, unseen
from ..operations.monitor.observe import look as observe
from ..stack.findings import Finding, Severity, clear, problem
from ..stack.monitor import Alert, Decision, Limits, Look, Message, Orders, Pause, State, acted, decide
from ..stack.monitor.messages import News, text
from ..stack.monitor.own import FAILING, HISTORY
from ..stack.ports import Ports
from ..stack.ports.monitoring import Beat, History
from .deep import DeepLook
from .network import Network

log = logging.getLogger("qfc.monitor")
#: Seconds from the start to the first deep look, and between attempts to act for a stack that another monitor has.
FIRST_DEEP_S, STANDBY_S = 20.0, 15.0
#: A host that cannot be reached is asked less and less often.
LONGEST_S = 60.0
#: What the engine reports is looked at after so many seconds: what restarts by itself has begun to.
LEAST_S = 1.0
PRUNE_S = 3600.0
#: Turns in a row that fail before people hear of it.
FAILURES = 5

Say = Callable[[str, str], None]


class Watcher:
    """Watches one stack in a thread of its own. `unsaved` are messages that are in no outbox.

    `turned_s` is when the last turn ended that did not fail.
    """

    def __init__(
        self, ports: Ports, limits: Limits, *, say: Say, news: Event | None = None, network: Network | None = None
    ) -> None:
        self.ports, self._limits, self._say = ports, limits, say
        self._news = news or Event()
        self._network = network or Network()
        self._clock = ports.clock
        self._history: History | None = None
        self._state, self._trouble = State(), ""
        self._is_ours, self._unseen = False, 0
        self._also: tuple[str, ...] = ()
        self._since = self._clock.now()
        self._looked_s = self._clock.monotonic()
        self._deep_s = self._looked_s - limits.deep_s + FIRST_DEEP_S
        self._deep = DeepLook(lambda abandoned: deep_findings(ports, abandoned))
        self._woken = Event()
        self._pruned_s = self._looked_s
        self._said = ""
        self._failures, self._failing = 0, None
        self.unsaved: list[Message] = []
        self.turned_s = self._looked_s

    _failing: Alert | None
    _is_told = False

    def run(self, stop: Event) -> None:
        """Watch until somebody says stop."""
        while not stop.is_set():
            wait_s = self._limits.look_s
            try:
                wait_s = self.turn()
            except Exception as error:
                log.exception("%s: a turn of the monitor failed", self.ports.name)
                self._remark(f"Did nothing, because of a bug of the monitor: {type(error).__name__}.")
                self._failed(error)
            else:
                self.turned_s = self._clock.monotonic()
                self._worked()
            self._rest(stop, wait_s)
        self.close()

    def wake(self) -> None:
        """Look again at once: something has happened, or the monitor ends."""
        self._woken.set()

    def _rest(self, stop: Event, seconds: float) -> None:
        """Wait for the next look. Where the engine reports what happens, its news end the wait, but not at once.

        What is in doubt gets its time: looks in a row prove nothing if they come at the same moment.
        """
        if not self._is_told or seconds <= self._limits.hurry_s:
            stop.wait(seconds)
        elif not stop.wait(min(seconds, LEAST_S)):
            self._woken.wait(max(0.0, seconds - LEAST_S))
            self._woken.clear()

    def turn(self) -> float:
        """Look once, and do what follows; return the seconds until the next turn."""
        try:
            self._claim()
        except LockHeldError as error:
            self._remark(f"Another monitor acts for the stack: {error.message}")
            self._network.note(self.ports.host.name, is_gone=False)
            self._deep.drop()
            self._state = State()  # Whoever acts now knows more, and may store it where this monitor finds it.
            return STANDBY_S
        except QfcError as error:
            if self._history is None:
                self._open()
            self._deep.drop()
            return self._decided(unseen(self._clock.now(), self._elapsed(), self._own(), error))
        found = self._deep.found()
        look = observe(self.ports, elapsed_s=self._elapsed(), deep=found, also=self._also, own=self._own())
        wait_s = self._decided(look)
        self._look_deeper(look)
        return wait_s

    def _look_deeper(self, look: Look) -> None:
        """Begin a deep look if it is time; forget one during which somebody was at work."""
        if look.unseen or look.stopped or (look.operation and look.operation.disturbs):
            self._deep.drop()
        elif self._clock.monotonic() - self._deep_s >= self._limits.deep_s and not self._deep.is_running:
            self._deep_s = self._clock.monotonic()
            self._deep.begin()

    def close(self) -> None:
        """Let others act for the stack; note that this monitor was ended, not lost."""
        if self._is_ours:
            with suppress(QfcError, OSError):
                self.ports.monitoring.note(replace(self._beat(), ended=True))
            with suppress(QfcError):
                self.ports.monitoring.watch.release()
        if self._history is not None:
            self._history.close()
        self.ports.close()

    def _claim(self) -> None:
        """Become the one monitor that acts for the stack, or stay it. Raises LockHeldError and QfcError.

        What keeps the claim on a host may end there: then another monitor may have it by now.
        """
        if self._is_ours:
            if self.ports.monitoring.watch.is_ours():
                return
            self._let_go()
        self.ports.monitoring.watch.take("monitor")
        self._is_ours = True
        self._open()
        self._is_told = self.ports.monitoring.follow(self.wake)
        with suppress(QfcError, OSError):
            self.ports.monitoring.note(self._beat())

    def _open(self) -> None:
        """Open the history, and go on where the last monitor ended; a monitor that has looked knows more itself."""
        with self._troubled():
            self._history = self._history or self.ports.monitoring.history()
            if not self._state.now_s:
                self._state = self._history.state()
            self._trouble = self._history.remark or ""

    def _decided(self, look: Look) -> float:
        self._network.note(self.ports.host.name, is_gone=look.is_silent)
        look = replace(look, is_cut_off=look.is_silent and self._network.explains(self.ports.host.name))
        decision = decide(self.ports.name, self._state, look, self._orders(), self._limits)
        self._state, self._also = decision.state, decision.also
        self._keep(look, decision)
        for note in decision.notes[:1]:
            self._remark(note)
        if decision.action is not None:
            self._repair(decision.action.id)
        self.ports.monitoring.touch()
        self._prune()
        if look.unseen is not None:
            return self._unreached()
        self._unseen = 0
        return decision.next_s

    def _repair(self, id: str) -> None:
        result = heal(self.ports, self._state.tracks[id].finding)
        if result is None:
            self._remark(f"Did nothing about {id}, because somebody has just worked on the stack, or begun to.")
            return
        self._deep.drop()
        now = self._clock.now()
        self._state = acted(self._state, id, result, now)
        self._remark(result)
        if self._history is not None:
            with self._troubled():
                self._history.keep_repair(id, self._state, now, result)

    def _keep(self, look: Look, decision: Decision) -> None:
        """Store the look; a message that finds no space is sent from memory."""
        kept = False
        if self._history is None:
            self._open()
        if self._history is not None:
            with self._troubled():
                self._history.keep(look, decision)
                kept = True
                self._trouble = self._history.remark or ""
        if decision.message is not None:
            if not kept:
                self.unsaved.append(decision.message)
            self._news.set()

    @contextmanager
    def _troubled(self) -> Generator[None]:
        """Note an error of the history instead of raising it: the monitor goes on from memory."""
        try:
            yield
        except QfcError as error:
            self._trouble = error.message
        except OSError as error:
            self._trouble = f"The history cannot be used: {error.strerror or type(error).__name__}."

    def _own(self) -> tuple[Finding, ...]:
        """Return the finding about the monitor's own memory."""
        if not self._trouble:
            return (clear(HISTORY, severity=Severity.WARNING),)
        found = problem(HISTORY, Severity.WARNING, self._trouble)
        fix = "Free space on the disk of the stack's folder; what is lost is only what the monitor remembers"
        return (replace(found, title="The monitor's history cannot be kept", fix=fix),)

    def _orders(self) -> Orders:
        """Return what people told the monitor. What cannot be read counts as a pause: somebody may be at work."""
        try:
            return self.ports.monitoring.orders()
        except QfcError as error:
            return Orders(pause=Pause("nobody", error.message, self._clock.now()))

    def _elapsed(self) -> float:
        before, self._looked_s = self._looked_s, self._clock.monotonic()
        return self._looked_s - before

    def _let_go(self) -> None:
        """Drop the claim and all connections: what was forwarded over one that is lost leads nowhere."""
        if self._is_ours:
            self._is_ours = False
            with suppress(QfcError):
                self.ports.monitoring.watch.release()
        self._deep.drop()
        self.ports.close()

    def _unreached(self) -> float:
        """Let go, and return when to try again."""
        self._unseen += 1
        self._let_go()
        return min(self._limits.look_s * self._unseen, LONGEST_S)

    def _prune(self) -> None:
        now = self._clock.monotonic()
        if self._history is not None and now - self._pruned_s >= PRUNE_S:
            self._pruned_s = now
            with self._troubled():
                self._history.prune(self._clock.now())

    def _failed(self, error: Exception) -> None:
        """Tell people of turns that fail again and again, without a decision: that may be what fails."""
        self._failures += 1
        if self._failures == FAILURES:
            sentence = f"{FAILURES} turns in a row ended with {type(error).__name__}; the stack is not watched."
            found = problem(FAILING, Severity.CRITICAL, sentence)
            found = replace(found, title="The monitor itself fails", fix="Read the monitor's log, and report the bug")
            self._failing = Alert(FAILING, found, self._clock.now(), self._clock.monotonic())
            self._tell(News("raised", self._failing, self._failing.opened_s))

    def _worked(self) -> None:
        """Note a turn that did not fail; who heard of failures hears of their end."""
        if self._failing is not None:
            over = replace(self._failing, closed=self._clock.now())
            self._tell(News("resolved", over, over.opened_s))
        self._failures, self._failing = 0, None

    def _tell(self, news: News) -> None:
        self.unsaved.append(text(self.ports.name, [news]))
        self._news.set()

    def _remark(self, note: str) -> None:
        """Say what is new."""
        if note != self._said:
            self._said = note
            self._say(self.ports.name, note)

    def _beat(self) -> Beat:
        who = self.ports.lock.identity()
        return Beat(who, os.getpid(), self._since, self._clock.now(), self._limits.look_s)
