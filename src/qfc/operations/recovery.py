"""Finish or undo an interrupted operation, whichever it was."""

from __future__ import annotations

import pkgutil
from collections.abc import Callable, Mapping
from typing import Any, Protocol, cast

from ..errors import QfcError
from ..stack import journal
from ..stack.ports import Ports

#: The functions that finish or undo an interrupted operation. Named by path, so that only the one needed is imported;
#: guarded operations may recover others.
RECOVERERS: Mapping[str, str] = {
    "deploy": "qfc.operations.deploy.undo:recover",
    "db restore": "qfc.operations.backup.restore:recover",
    "protect": "qfc.operations.protect.undo:recover",
    "db restore --project": "qfc.operations.backup.restore_project:recover",
    "upgrade": "qfc.operations.upgrade.undo:recover",
    "transfer": "qfc.operations.transfer.holding:recover",
}


class Recover(Protocol):
    """Finishes or undoes an operation from its record, and clears the journal. It can be repeated."""

    def __call__(self, ports: Ports, record: Mapping[str, Any], report: Callable[[str], None]) -> object:
        """Recover, under the stack's lock. Raises QfcError; the journal then stays for the next attempt."""
        ...


def recover(ports: Ports, report: Callable[[str], None]) -> None:
    """Finish or undo an interrupted operation, if there is one. Call it under the stack's lock."""
    entry = journal.read(ports.records)
    if entry is not None:
        recoverer(entry.operation)(ports, entry.record, report)


def recoverer(operation: str) -> Recover:
    """Return the function that recovers an operation. Raises QfcError for one unknown to this release."""
    if operation not in RECOVERERS:
        raise QfcError(
            f"{operation} was interrupted, and this release of qfc cannot finish it.",
            hint="Use the release of qfc that started it.",
        )
    return cast(Recover, pkgutil.resolve_name(RECOVERERS[operation]))
