"""Finishing or undoing what an operation has left half done, whichever operation it was."""

from __future__ import annotations

import pkgutil
from collections.abc import Callable, Mapping
from typing import Any, Protocol, cast

from ..errors import QfcError
from ..stack import journal
from ..stack.ports import Ports

#: Who finishes or undoes an operation that was interrupted. Named by path: only the one that is needed is imported,
#: and operations that are guarded may recover others.
RECOVERERS: Mapping[str, str] = {
    "deploy": "qfc.operations.deploy.undo:recover",
}


class Recover(Protocol):
    """Finishes or undoes an operation from what it wrote down, and clears the journal. May be repeated."""

    def __call__(self, ports: Ports, record: Mapping[str, Any], report: Callable[[str], None]) -> object:
        """Recover, under the stack's lock. Raises QfcError; the journal then stays for the next try."""
        ...


def recover(ports: Ports, report: Callable[[str], None]) -> None:
    """Finish or undo what was left half done; harmless when nothing was. To be used under the stack's lock."""
    entry = journal.read(ports.records)
    if entry is not None:
        recoverer(entry.operation)(ports, entry.record, report)


def recoverer(operation: str) -> Recover:
    """Return who recovers an operation. Raises QfcError for one that this release does not know."""
    if operation not in RECOVERERS:
        raise QfcError(
            f"{operation} was interrupted, and this release of qfc cannot finish it.",
            hint="Use the release of qfc that began it.",
        )
    return cast(Recover, pkgutil.resolve_name(RECOVERERS[operation]))
