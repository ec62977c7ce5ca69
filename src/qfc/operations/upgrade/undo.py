"""The end of an upgrade: finish it, or bring everything back; both can be repeated, also after a kill."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from ... import __version__
from ...errors import QfcError, RefusedError
from ...stack import drains, journal
from ...stack.ports import Ports
from .plan import Plan

OPERATION = "upgrade"
APP, WORKER = "app", "worker_wrapper"
#: The states of its record. In the first one the stack serves as before, until the second one ends everything is
#: undone, after it everything is finished.
SAVING, REPLACING, FINISHING = "saving", "replacing", "finishing"


@dataclass(frozen=True)
class Undone:
    """An upgrade that was undone: the release from before, whether it ran and runs again, or why it does not start."""

    version: str
    ran: bool
    runs: bool
    error: QfcError | None = None

    @property
    def where(self) -> str:
        """Where the stack is now, in one sentence."""
        if self.runs:
            return f"{self.version} runs again with its data."
        if self.error is not None:
            return f"The data are as before, but {self.version} does not start: {self.error.message}"
        return "The data are as before" + (", and the stack is stopped." if self.ran else ".")

    @property
    def hint(self) -> str:
        """What to do where it does not run."""
        if self.error is not None:
            return f"Solve this, then type, with the qfc of {self.version}: qfc up"
        named = f" (qfieldcloud-suite=={self.version})" if self.version != __version__ else ""
        return f"Install the release from before{named}, then type: qfc up"


def note(ports: Ports, state: str, plan: Plan) -> None:
    """Record how far the upgrade is, and what it began with."""
    record = {"state": state, "ran": plan.ran, "version": plan.before.version, "postgres": plan.before.postgres}
    journal.write(ports.records, journal.Entry(OPERATION, record))


def finish(ports: Ports) -> None:
    """Give the proven release its own port, start everything, and remove what was kept."""
    ports.upgrades.settings_back()
    try:
        drains.clear(ports.records)
        ports.runtime.start(None)
    except QfcError as error:
        hint = error.hint or "Solve this, then type: qfc up"
        raise QfcError(f"The stack is upgraded, but does not start: {error.message}", hint=hint) from error
    try:
        ports.upgrades.settle()
    except QfcError as error:
        said = f"The stack is upgraded and runs, but what was kept of before is still there: {error.message}"
        raise QfcError(said, hint=error.hint) from error
    journal.clear(ports.records)


def undo(ports: Ports) -> Undone | None:
    """Bring back the database, the settings and, if it ran and is still installed, the release from before.

    Returns None where nothing was replaced yet. A release that is not installed any more is not started: any other one
    would migrate the data.
    """
    entry = journal.read(ports.records)
    if entry is None or entry.operation != OPERATION:
        return None
    ran = bool(entry.record.get("ran"))
    if entry.record.get("state") == SAVING:
        _undo_preparation(ports, ran=ran)
        return None
    with suppress(QfcError):
        # The record may say already that the release is proven, although writing it failed.
        journal.write(ports.records, journal.Entry(OPERATION, {**entry.record, "state": REPLACING}))
    ports.upgrades.database_back()
    _settings_back(ports)
    runs, error = _restart(ports) if ran else (False, None)
    _forget(ports)
    return Undone(str(entry.record.get("version", "")), ran, runs, error)


def _undo_preparation(ports: Ports, *, ran: bool) -> None:
    if not ran:
        ports.runtime.stop(None)
    _settings_back(ports)
    _forget(ports)


def _settings_back(ports: Ports) -> None:
    ports.upgrades.settings_back()
    ports.upgrades.release_back()


def _restart(ports: Ports) -> tuple[bool, QfcError | None]:
    """Start the release from before; the data are back, so the upgrade is undone even if it does not start."""
    try:
        return ports.upgrades.restart_before(), None
    except QfcError as error:
        return False, error


def _forget(ports: Ports) -> None:
    ports.upgrades.forget()
    journal.clear(ports.records)


def after_failure(error: QfcError, undone: Undone) -> QfcError:
    """Return what the operator is told after everything has gone back."""
    hint = error.hint or "See: qfc logs" if undone.runs else undone.hint
    return QfcError(f"Nothing was upgraded: {error.message} {undone.where}", hint=hint)


def not_back(error: BaseException, second: QfcError) -> QfcError:
    """Return what the operator is told if the way back fails too: both, since the first one is the cause."""
    first = error.message if isinstance(error, QfcError) else f"{type(error).__name__}."
    said = f"The upgrade failed: {first} The way back failed too: {second.message}"
    return QfcError(said, hint=second.hint or "Solve this; the next command goes on with the way back, such as: qfc up")


def recover(ports: Ports, record: Mapping[str, Any], report: Callable[[str], None]) -> None:
    """Finish an upgrade whose release was proven, undo any other.

    Raises RefusedError after a release of another version is back: whatever this command is, it would go on with
    the release that was just taken back.
    """
    undone = end(ports, record, report)
    if undone is not None and undone.version != ports.upgrades.installed().version:
        raise RefusedError(
            f"The interrupted upgrade was undone, and nothing else was done. {undone.where}",
            hint="To upgrade, type: qfc upgrade. For everything else use the qfc of that release"
            if undone.runs
            else f"{undone.hint}. Or upgrade: qfc upgrade",
        )


def end(ports: Ports, record: Mapping[str, Any], report: Callable[[str], None]) -> Undone | None:
    """Finish or undo an interrupted upgrade; return how it was undone, if it was."""
    if record.get("state") == FINISHING:
        report("Finish the upgrade that was interrupted")
        finish(ports)
        return None
    report("Undo the upgrade that was interrupted")
    return undo(ports)
