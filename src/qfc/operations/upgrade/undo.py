"""The end of an upgrade: finish it, or bring everything back; both can be repeated, also after a kill."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from ...errors import QfcError
from ...stack import drains, journal
from ...stack.node_release import NodeRelease
from ...stack.ports import Ports
from .plan import Plan

OPERATION = "upgrade"
APP, WORKER = "app", "worker_wrapper"
#: The states of its record: until the first one ends everything is undone, after it everything is finished.
REPLACING, FINISHING = "replacing", "finishing"


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
    ports.upgrades.settle()
    journal.clear(ports.records)


def undo(ports: Ports) -> bool:
    """Bring back the database, the settings and, if it ran and is still installed, the release from before.

    Returns whether the release from before runs. Otherwise everything is stopped: any other one would migrate the data.
    """
    entry = journal.read(ports.records)
    if entry is None or entry.operation != OPERATION:
        return False
    with suppress(QfcError):
        # The record may say already that the release is proven, although writing it failed.
        journal.write(ports.records, journal.Entry(OPERATION, {**entry.record, "state": REPLACING}))
    ports.upgrades.database_back()
    ports.upgrades.settings_back()
    runs = bool(entry.record.get("ran")) and ports.upgrades.restart_before()
    ports.upgrades.forget()
    journal.clear(ports.records)
    return runs


def after_failure(error: QfcError, before: NodeRelease, *, ran: bool, ran_again: bool) -> QfcError:
    """Return what the operator is told after everything has gone back."""
    if ran_again:
        where, hint = f"{before.version} runs again with its data.", error.hint or "See: qfc logs"
    else:
        where = "The data are as before" + (", and the stack is stopped." if ran else ".")
        hint = f"Install the release from before (qfieldcloud-suite=={before.version}), then type: qfc up"
    return QfcError(f"Nothing was upgraded: {error.message} {where}", hint=hint)


def recover(ports: Ports, record: Mapping[str, Any], report: Callable[[str], None]) -> None:
    """Finish an upgrade whose release was proven, undo any other."""
    if record.get("state") == FINISHING:
        report("Finish the upgrade that was interrupted")
        finish(ports)
        return
    report("Undo the upgrade that was interrupted")
    undo(ports)
