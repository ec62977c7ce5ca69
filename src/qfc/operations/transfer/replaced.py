"""What the new server has before its data are replaced: nobody adds to it once it is backed up."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from ...errors import QfcError
from ...stack import journal
from ...stack.ports import Ports
from ..backup.restore import APP, OPERATION, WORKER
from .copies import sound_set


@dataclass(frozen=True)
class Replaced:
    """What was there before. `safety` is its set, `edits_file` what is newer than the set that replaced it.

    `database` names the previous database, if it is damaged and was therefore kept.
    """

    safety: str | None = None
    edits_file: str | None = None
    database: str | None = None


@contextmanager
def saved(ports: Ports, report: Callable[[str], None], *, safety: bool) -> Generator[str | None]:
    """Back up what a server has, if anything, and give its set; nobody writes to it meanwhile, nor in the block.

    Whatever fails, the server runs again.
    """
    if not (safety and ports.backups.target.tables()):
        yield None
        return
    try:
        report(f"Stop API and workers of {ports.name}, and back up what it has")
        ports.runtime.stop([APP, WORKER])
        yield sound_set(ports, report).id
    except BaseException as error:
        _start_again(ports, error)
        raise


def _start_again(ports: Ports, error: BaseException) -> None:
    """Start a server, unless a restore of it is not undone yet: nobody may write to half of it."""
    entry = journal.read(ports.records)
    if entry is not None and entry.operation == OPERATION:
        return
    try:
        ports.runtime.start(None)
    except QfcError as failure:
        said = error.message if isinstance(error, QfcError) else type(error).__name__
        raise QfcError(
            f"{said} Then {ports.name} did not start again: {failure.message}",
            hint=f"Solve this, then type: qfc --stack {ports.name} up",
        ) from error


def told(was: Replaced, stack: str) -> Iterator[str]:
    """Yield in sentences where it is now."""
    if was.safety:
        yield f"What {stack} had before is {was.safety}: qfc --stack {stack} db restore --to {was.safety}"
    if was.database:
        yield f"The previous database of {stack} is damaged; until its next restore it is kept as {was.database}."
    if was.edits_file:
        yield f"Edits and files of {stack} that were newer than the set are in {was.edits_file}"
