"""Connections and transactions. Every error of PostgreSQL is translated here and nowhere else."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Generator, Iterable
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import errors, sql
from psycopg.rows import dict_row

from qfc.errors import NotFoundError, QfcError, RefusedError, UnreachableError

from .queries import answers, compose, text
from .schema import Schema, resolve

log = logging.getLogger("qfc.queries")

Row = dict[str, Any]
Connection = psycopg.Connection[Row]
#: Opens a connection. Errors of psycopg are translated here; we choose the types of rows and transactions.
Connect = Callable[[], psycopg.Connection[Any]]

CONNECT_TIMEOUT_S = 5


def connect_to(conninfo: str = "", **parameters: str | int) -> Connect:
    """Return a factory of connections to a database, given by a libpq string or URL and single parameters."""

    def connect() -> psycopg.Connection[Any]:
        settings: dict[str, Any] = {"connect_timeout": CONNECT_TIMEOUT_S, "application_name": "qfc", **parameters}
        return psycopg.connect(conninfo, **settings)

    return connect


@dataclass(frozen=True)
class Transaction:
    """A transaction. Statements are named by their blocks; see `qfc/drivers/sql`."""

    connection: Connection
    schema: Schema

    def answers(self, query: str) -> bool:
        """Return whether the database has what a query needs: tables and columns depend on the release."""
        return answers(query, self.schema)

    def rows(self, query: str, **parameters: object) -> list[Row]:
        """Run a query, named `topic.block`, and return all its rows."""
        return self._run(query, parameters).fetchall()

    def row(self, query: str, **parameters: object) -> Row:
        """Run a named query and return its only row. Raises NotFoundError without a row."""
        rows = self.rows(query, **parameters)
        if not rows:
            raise NotFoundError(f"The database returned no row for {query!r}.")
        return rows[0]

    def change(self, query: str, **parameters: object) -> int:
        """Run a named command and return the number of changed rows."""
        return self._run(query, parameters).rowcount

    def rows_of(self, table: str) -> int | None:
        """Count the rows of a table, given by its name in the database; None if it does not exist."""
        if not self.row("database.table_exists", name=table)["found"]:
            return None
        counted = self.connection.execute(text("database.table_count").format(name=sql.Identifier(table))).fetchone()
        return int(counted["rows"]) if counted else None

    def change_password(self, password: str) -> None:
        """Change the password of this transaction's role. It is hashed here: no log of the server has it."""
        connection = self.connection.pgconn
        hashed = connection.encrypt_password(password.encode(), self.connection.info.user.encode())
        self.connection.execute(text("database.set_password").format(hashed=sql.Literal(hashed.decode())))

    def _run(self, query: str, parameters: dict[str, object]) -> psycopg.Cursor[Row]:
        log.info("> sql %s", query)
        return self.connection.execute(compose(query, self.schema), parameters)


class Database:
    """Access to a database: transactions on a few connections that are kept open. Safe for threads."""

    def __init__(self, connect: Connect) -> None:
        self._connect = connect
        self._idle: list[Transaction] = []
        self._lock = threading.Lock()

    @contextmanager
    def reading(self, begin: str = "database.begin_reading") -> Generator[Transaction]:
        """Yield a read-only transaction in which all queries see the same snapshot."""
        with translated(), self._transaction(begin, keep=False) as transaction:
            yield transaction

    @contextmanager
    def writing(self, *, dry_run: bool = False) -> Generator[Transaction]:
        """Yield a transaction that is committed at the end, or rolled back after an error or with `dry_run`."""
        with translated(), self._transaction("database.begin_writing", keep=not dry_run) as transaction:
            yield transaction

    def vacuum(self, tables: Iterable[str]) -> None:
        """Vacuum tables, on a connection of its own: it may take long, and no transaction can contain it."""
        with translated(), closing(_adapted(self._connect())) as connection:
            for name in tables:
                log.info("> sql vacuum %s", name)
                connection.execute(text("database.vacuum").format(name=sql.Identifier(name)))

    def close(self) -> None:
        """Close the connections that are not in use."""
        with self._lock:
            idle, self._idle = self._idle, []
        for transaction in idle:
            transaction.connection.close()

    @contextmanager
    def _transaction(self, begin: str, *, keep: bool) -> Generator[Transaction]:
        transaction = self._begin(begin)
        try:
            yield transaction
            transaction.connection.execute("commit" if keep else "rollback")
        except BaseException:
            _give_up(transaction.connection)
            raise
        with self._lock:
            self._idle.append(transaction)

    def _begin(self, begin: str) -> Transaction:
        """Begin on a kept connection, or on a new one if the server has closed it meanwhile."""
        while (transaction := self._kept()) is not None:
            try:
                transaction.connection.execute(text(begin))
            except psycopg.OperationalError:
                transaction.connection.close()
            else:
                return transaction
        connection = _adapted(self._connect())
        try:
            connection.execute(text(begin))
            return Transaction(connection, resolve(connection))
        except BaseException:
            _give_up(connection)
            raise

    def _kept(self) -> Transaction | None:
        with self._lock:
            return self._idle.pop() if self._idle else None


def _adapted(connection: psycopg.Connection[Any]) -> Connection:
    """Leave transactions to us, return rows as dictionaries, and plan every query with its own values."""
    connection.autocommit = True
    connection.prepare_threshold = None
    connection.row_factory = dict_row
    return connection


def _give_up(connection: Connection) -> None:
    """Close after an error: its cause may be outdated names of tables, which the next connection reads again."""
    with suppress(psycopg.Error):
        connection.close()


@contextmanager
def translated() -> Generator[None]:
    """Translate errors of PostgreSQL into ours."""
    try:
        yield
    except psycopg.Error as error:
        raise translate(error) from error


def translate(error: psycopg.Error) -> QfcError:
    """Return our error for an error of psycopg."""
    line = _first_line(error)
    match error:
        case errors.QueryCanceled():
            return QfcError(
                "The database did not answer in time.",
                hint="It is busy, or a table has no statistics. Type: qfc db status",
            )
        case errors.LockNotAvailable() | errors.DeadlockDetected() | errors.SerializationFailure():
            return RefusedError("Another session is changing the same rows.", hint="Try again in a moment.")
        case errors.UndefinedTable() | errors.UndefinedColumn():
            return QfcError(f"The database does not match this release: {line}", hint="Type: qfc db migrate")
        case errors.InsufficientPrivilege() | errors.ReadOnlySqlTransaction():
            return RefusedError(f"The database refused: {line}", hint="Check the permissions of the database user.")
        case errors.DataCorrupted() | errors.IndexCorrupted() | errors.IoError() | errors.UndefinedFile():
            return QfcError(f"The database is damaged: {line}", hint="Back to a backup: qfc db list")
        case psycopg.OperationalError() | psycopg.InterfaceError():
            return UnreachableError("The database cannot be reached.", hint="Type: qfc status")
        case _:
            return QfcError(f"The database refused: {line}", hint="Type the command again with --verbose.")


def _first_line(error: psycopg.Error) -> str:
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__
