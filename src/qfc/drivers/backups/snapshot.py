"""A snapshot of a database of ours, and its dump."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Callable, Collection, Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import IO, Any, BinaryIO, cast

from ...errors import CommandError
from ...stack.backup_set import DatabaseFacts, Reference
from ...stack.ports import Snapshot
from ..commands import echo
from ..postgres.connection import Connect, Database, Transaction
from .dumps import last_words

#: The class of the node's advisory locks on objects.
LOCK_CLASS = 0x51464342

#: Returns the command and the environment of a program of PostgreSQL, with the connection parameters.
Program = Callable[[Sequence[str]], tuple[list[str], dict[str, str]]]


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
            yield Reference(row["sha256"], row["size"])

    @contextmanager
    def dump(self) -> Generator[BinaryIO]:
        words = ["pg_dump", "--format=custom", "--compress=0", "--no-password", f"--snapshot={self._facts.snapshot}"]
        argv, environment = self._program(words)
        echo(argv)
        with (
            tempfile.TemporaryFile() as said,
            subprocess.Popen(
                argv, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=said
            ) as process,
        ):
            try:
                yield cast(BinaryIO, _Output(process, said))
            except BaseException:
                process.kill()
                raise

    def still_named(self, sha256s: Collection[str]) -> frozenset[str]:
        with self._database.reading() as now:
            return frozenset(row["sha256"] for row in now.rows("backup.still_named", names=list(sha256s)))


class _Output:
    """The output of a program. Its end raises CommandError unless the program has succeeded."""

    def __init__(self, process: subprocess.Popen[bytes], said: IO[Any]) -> None:
        self._process, self._said = process, said

    def read(self, size: int = -1) -> bytes:
        """Read output."""
        chunk = cast("IO[bytes]", self._process.stdout).read(size)
        if not chunk and (code := self._process.wait()) != 0:
            raise CommandError(f"pg_dump ended with exit code {code}: {last_words(self._said)}")
        return chunk


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
