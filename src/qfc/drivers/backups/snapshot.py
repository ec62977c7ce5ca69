"""A snapshot of a database of ours, and its dump."""

from __future__ import annotations

from collections.abc import Callable, Collection, Generator, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime
from typing import BinaryIO

from ...stack.backup_set import DatabaseFacts, Place, Reference
from ...stack.ports import Snapshot
from ..postgres.connection import Connect, Database, Transaction

#: The class of the node's advisory locks on objects.
LOCK_CLASS = 0x51464342

#: Runs a program of PostgreSQL with the connection parameters, and gives its output; see `programs.py`.
Program = Callable[[Sequence[str]], AbstractContextManager[BinaryIO]]


class DatabaseSnapshot(Snapshot):
    """A snapshot that is held by an open transaction. `database` answers questions about the present."""

    def __init__(self, transaction: Transaction, database: Database, program: Program) -> None:
        self._transaction, self._database, self._program = transaction, database, program
        self._facts = _facts(transaction)

    @property
    def facts(self) -> DatabaseFacts:
        return self._facts

    def references(self) -> Iterator[Reference]:
        for row in self._transaction.rows("backup.references"):
            place = Place(row["store"], row["name"]) if row["store"] else None
            yield Reference(row["sha256"] or "", row["size"], place)

    def unlisted_projects(self) -> Mapping[str, str]:
        """Return the projects whose files are in no row, with the name of their store."""
        if not self._transaction.answers("backup.unlisted_projects"):
            return {}
        return {row["id"]: row["store"] for row in self._transaction.rows("backup.unlisted_projects")}

    @property
    def lists_files(self) -> bool:
        """Whether files have rows at all."""
        return self._transaction.schema.has("file_version")

    def dump(self) -> AbstractContextManager[BinaryIO]:
        words = ["pg_dump", "--format=custom", "--compress=0", "--no-password", f"--snapshot={self._facts.snapshot}"]
        return self._program(words)

    def still_named(self, names: Collection[str]) -> frozenset[str]:
        with self._database.reading() as now:
            return frozenset(row["name"] for row in now.rows("backup.still_named", names=list(names)))


@contextmanager
def snapshot_of(connect: Connect, program: Program) -> Generator[DatabaseSnapshot]:
    """Keep all objects, then take a snapshot; both end with the block."""
    keeping, reading, present = Database(connect), Database(connect), Database(connect)
    try:
        with keeping.reading("backup.begin") as keeper:
            keeper.rows("backup.keep_objects", lock_class=LOCK_CLASS)
            with reading.reading("backup.begin") as transaction:
                yield DatabaseSnapshot(transaction, present, program)
    finally:
        for one in (reading, present, keeping):
            one.close()


def born_at(connect: Connect) -> datetime | None:
    """Return when the first migration was applied to a database."""
    database = Database(connect)
    try:
        with database.reading() as now:
            return now.row("backup.born")["born_at"]
    finally:
        database.close()


def _facts(transaction: Transaction) -> DatabaseFacts:
    row = transaction.row("backup.snapshot")
    newest = transaction.row("backup.newest")
    return DatabaseFacts(
        taken_at=row["taken_at"],
        position=row["position"],
        snapshot=row["snapshot"],
        server_version=row["server_version"],
        tables=counts(transaction),
        migrations=[one["name"] for one in transaction.rows("database.migrations")],
        newest_job=newest["job"],
        newest_delta=newest["delta"],
    )


def counts(transaction: Transaction) -> Mapping[str, int]:
    """Return the rows of each table."""
    names = [row["name"] for row in transaction.rows("backup.tables")]
    return {name: transaction.rows_of(name) or 0 for name in names}
