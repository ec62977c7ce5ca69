"""Dumps of a deployment's database, and their restoration.

A dump is created by pg_dump in its custom format, of the server's own release if the database runs in a container, and
is read from beginning to end before it counts. A restoration fills a new database next to the old one and then swaps
their names, so the old one stays complete until the new one is. Repeated after a crash, it continues.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import PurePath

from ...errors import CommandError, QfcError
from ...stack.model import CommandResult, Dump
from ...stack.ports import Dumps, Machine
from ..docker.engine import Engine, failed
from ..pipes_between import piped
from ..postgres.connection import translated
from ..postgres.queries import text
from ..postgres.swap import NEW, OLD, ConnectTo, DatabaseSwap
from ..replacing import replaced_by
from ..routes.database import DatabaseAccess
from .postgres_tools import Tools, names_of_rows

#: A dump without the rows of these tables is not that of a QFieldCloud server.
NEEDED = ("public.core_job", "public.core_delta", "public.core_user", "public.django_migrations")
_SERVER = "Dumped from database version:"
_FROM_FILE = 'path=$1; shift; exec "$@" <"$path"'

# A newer client sets a parameter in its first lines that older servers do not know. The last line proves that the whole
# dump was read: psql alone cannot distinguish a truncated dump from a complete one.
RESTORE = r"""
{ pg_restore --no-owner --file=- && printf '%s\n' '\echo whole'; } |
    sed '1,50{/^SET transaction_timeout /d}' |
    psql --no-psqlrc --quiet --no-password --set=ON_ERROR_STOP=1 --output=/dev/null --dbname="$1"
"""
WHOLE = "whole"
#: The name in errors of the command that reads dumps.
_READER = "pg_restore"


class ServerDumps(Dumps):
    """Dumps and restores one database. `tools` are found when needed; `connect` opens any database of the server."""

    def __init__(
        self, engine: Engine, tools: Callable[[], Tools], access: Callable[[], DatabaseAccess], connect: ConnectTo
    ) -> None:
        self._engine, self._tools, self._access, self._connect = engine, tools, access, connect
        self._swap = DatabaseSwap(connect)

    @property
    def _machine(self) -> Machine:
        return self._engine.machine

    def refusal(self) -> str | None:
        try:
            self._tools()
            with translated(), self._connect(self._access().database) as connection:
                row = connection.execute(text("database.may_create")).fetchone()
        except QfcError as error:
            return error.message
        if not row or not row[0]:
            return (
                f"the account {self._access().user} cannot create databases on the server, or not with the "
                "extensions of this one"
            )
        return None

    def dump(self, path: PurePath) -> Dump:
        words = ("pg_dump", "--format=custom", "--no-password", self._access().database)
        try:
            self._out(self._tools().argv(*words), path)
            return self.read_back(path)
        except CommandError as error:
            self._engine.run(["rm", "-f", "--", str(path)], check=False)
            raise QfcError(f"The database cannot be dumped: {error.message}", hint=error.hint) from error

    def read_back(self, path: PurePath) -> Dump:
        tools = self._tools()
        try:
            listing = self._in(tools.argv("pg_restore", "--list"), path).stdout
            self._in(tools.argv("pg_restore", "--file=/dev/null"), path)
            size = int(self._engine.query(["sh", "-c", 'wc -c <"$1"', "sh", str(path)]).stdout)
        except CommandError as error:
            raise QfcError(f"The dump {path} is incomplete: {error.message}", hint=error.hint) from error
        tables = names_of_rows(listing)
        missing = [name for name in NEEDED if name not in tables]
        if missing:
            raise QfcError(f"The dump {path} lacks {', '.join(missing)}.", hint="Type: qfc db status")
        versions = [line.partition(_SERVER)[2].strip() for line in listing.splitlines() if _SERVER in line]
        return Dump(str(path), size, len(tables), versions[0] if versions else "")

    def restore(self, path: PurePath) -> None:
        name = self._access().database
        self._swap.reopen(name)
        if self._swap.exists(name) or not self._swap.exists(name + NEW):
            self._fill(name + NEW, path)
            self._swap.rename(name, name + OLD)
        self._swap.rename(name + NEW, name)
        self._swap.open(name)
        self._swap.drop(name + OLD)

    def _fill(self, name: str, path: PurePath) -> None:
        database = self._access().database
        self._swap.create(name, like=database)
        try:
            restored = self._in(self._tools().argv("sh", "-c", RESTORE, "sh", name), path)
            if restored.stdout.strip() != WHOLE:
                raise failed([_READER], replace(restored, exit_code=1))
        except CommandError as error:
            self._swap.drop(name)
            raise QfcError(f"The dump {path} cannot be restored: {error.message}", hint=error.hint) from error
        self._swap.take_settings(name, of=database)

    def _out(self, argv: list[str], path: PurePath) -> None:
        """Run a command and write its output to a file on the host."""
        tools = self._tools()
        if tools.is_inside:
            self._engine.run(replaced_by(argv, path))
        else:
            piped(argv, tools.environment, self._machine, replaced_by(["cat"], path), towards=True)

    def _in(self, argv: list[str], path: PurePath) -> CommandResult:
        """Run a command with a file on the host as its input."""
        tools = self._tools()
        from_file = ["sh", "-c", _FROM_FILE, "sh", str(path)]
        if tools.is_inside:
            result = self._engine.run([*from_file, *argv], check=False)
            if result.exit_code:
                raise failed([_READER], result)
            return result
        there = [*from_file, "cat"]
        return piped(argv, tools.environment, self._machine, there, towards=False, name=_READER)
