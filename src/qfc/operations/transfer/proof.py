"""What is looked at on the new server before it counts: rows, objects and bytes, then one synchronisation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from ...errors import QfcError
from ...stack import drains
from ...stack.backup_set import Manifest
from ...stack.ports import Ports
from ...stack.transfer.contents import Contents, TableRows, differences, tables_of
from ...stack.transfer.report import Check
from ..backup.restore_objects import newest
from ..proof import prove
from .copies import ReadBack, objects_of
from .facts import contents_of, contents_of_set


@dataclass
class Proof:
    """The proof of one restore. `sets` are the ports whose store has the set; `checks` and `tables` what was found.

    It runs after the database has been replaced, and before anybody may use the server.
    """

    sets: Ports
    new: Ports
    manifest: Manifest
    report: Callable[[str], None]
    read: ReadBack
    checks: list[Check] = field(default_factory=list[Check])
    tables: tuple[TableRows, ...] = ()

    def run(self) -> None:
        """Raises QfcError with the first thing that is not right."""
        self._rows()
        self._objects()
        self._synchronise()

    def _rows(self) -> None:
        self.report("Compare rows and references")
        wanted, found = contents_of_set(self.sets.backups.store, self.manifest), contents_of(self.new)
        self.tables = tables_of(wanted, found)
        # Objects are found below, by their bytes; what the old server lacks is not in the set, and still in rows.
        wrong = differences(_rows_of(wanted), _rows_of(found))
        if wrong:
            raise QfcError(f"The new server differs: {wrong[0]}")
        self.checks.append(Check("rows", f"{found.rows} in {len(found.tables)} tables, as on the old server"))

    def _objects(self) -> None:
        self.report("Compare objects, byte by byte")
        objects = objects_of(self.sets, self.manifest)
        number = self.read.everything(objects)
        total = sum(one.stored.size for one in newest(objects))
        older = f"; {len(objects) - number} older versions of them were not read" if len(objects) > number else ""
        self.checks.append(Check("objects", f"{number} with {total} bytes, every checksum (sha256) is right{older}"))

    def _synchronise(self) -> None:
        self.report("Start the new server, and synchronise a project of our own")
        drains.clear(self.new.records)
        self.new.runtime.start(None)
        broken = prove(self.new)
        if broken is not None:
            raise QfcError(f"The new server does not synchronise: {broken.step}: {broken.error.message}")
        self.checks.append(
            Check("synchronisation", "a file round trip, a job, a package and an edit of our own project")
        )


def _rows_of(contents: Contents) -> Contents:
    return Contents(contents.name, contents.tables, ())
