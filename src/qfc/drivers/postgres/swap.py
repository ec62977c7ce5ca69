"""Replaces a database by another of the same server: by a change of names, so the old one stays whole until then."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import psycopg
from psycopg import sql
from psycopg.rows import tuple_row

from ...errors import QfcError, RefusedError
from .connection import translated
from .queries import text

#: The endings of the databases beside the one in use: the one that is being filled, and the one that was in use.
NEW, OLD = "_qfc_new", "_qfc_old"
#: The bytes that a server keeps of a name. Of a longer one it silently takes the beginning: another database's name.
LONGEST = 63
#: Opens a connection to a database of the server, by its name.
ConnectTo = Callable[[str], psycopg.Connection[Any]]


class DatabaseSwap:
    """The databases of one server, by name. Raises RefusedError before it changes one under a name that is too long."""

    def __init__(self, connect: ConnectTo) -> None:
        self._connect = connect

    def exists(self, name: str) -> bool:
        """Return whether the server has a database of that name."""
        with translated(), self._connect("postgres") as connection:
            return connection.execute(text("database.exists"), {"name": name}).fetchone() is not None

    def create(self, name: str, *, like: str = "") -> None:
        """Create an empty database; one of that name is removed first.

        `like`: with encoding, locale and, where we may, owner of another one, if that exists.
        """
        self.drop(name)
        with translated(), self._connect("postgres") as connection:
            connection.autocommit = True
            rows = _rows(connection, "database.options", like)
            options = sql.SQL(rows[0][0] if rows else "")
            connection.execute(text("database.create").format(name=sql.Identifier(name), options=options))

    def copy(self, name: str, *, of: str) -> None:
        """Create a database as a whole copy of another one, whose connections are ended and refused until `open`."""
        self.drop(name)
        with translated(), self._connect("postgres") as connection:
            connection.autocommit = True
            connection.execute(_named("database.close", of))
            connection.execute(text("database.send_away"), {"name": of})
            owner = sql.SQL(_rows(connection, "database.owner", of)[0][0])
            names = {"name": sql.Identifier(name), "of": sql.Identifier(of)}
            connection.execute(text("database.copy").format(owner=owner, **names))
        self.take_settings(name, of=of)

    def take_settings(self, name: str, *, of: str) -> None:
        """Give to a database the settings of another one, and of roles in it, as far as we may."""
        with translated(), self._connect("postgres") as connection:
            connection.autocommit = True
            for setting, value, role in _rows(connection, "database.settings", of):
                with suppress(psycopg.errors.InsufficientPrivilege, psycopg.errors.UndefinedObject):
                    # From the session: the server itself reads lists such as a search_path.
                    connection.execute(text("database.set_here"), {"name": setting, "value": value})
                    connection.execute(_setting(name, setting, role))

    def drop(self, name: str) -> None:
        """Remove a database, if it exists, and end all connections to it."""
        self._command("database.drop", name)

    def open(self, name: str) -> None:
        """Accept connections to a database again."""
        self._command("database.open", name)

    def reopen(self, name: str) -> None:
        """Accept connections to a database again, if it exists: a change of names that was killed has closed it."""
        if self.exists(name):
            self.open(name)

    def rename(self, name: str, to: str) -> None:
        """Rename a database, if it exists; its connections are ended, and new ones are refused until `open`.

        After an error the database has its name still, and is open.
        """
        _require_whole(name)
        if not self.exists(name):
            return
        self.drop(to)
        try:
            self._rename_closed(name, to)
        except BaseException:
            with suppress(QfcError):
                self.open(name)
            raise

    def bring_in(self, name: str) -> None:
        """Put the database that was filled in the place of the one in use, which is kept under its other name."""
        self.rename(name, name + OLD)
        self.rename(name + NEW, name)
        self.open(name)

    def take_back(self, name: str, *, kept: str = OLD) -> None:
        """Put the database that was in use back in its place, if it is kept; it can be repeated."""
        self.rename(name + kept, name)
        self.reopen(name)

    def _rename_closed(self, name: str, to: str) -> None:
        with translated(), self._connect("postgres") as connection:
            connection.autocommit = True
            connection.execute(_named("database.close", name))
            connection.execute(text("database.send_away"), {"name": name})
            connection.execute(_named("database.rename", name, to=to))

    def _command(self, query: str, name: str) -> None:
        _require_whole(name)
        with translated(), self._connect("postgres") as connection:
            connection.autocommit = True
            connection.execute(_named(query, name))


def _require_whole(name: str) -> None:
    if len(name.encode()) > LONGEST:
        raise RefusedError(
            f"A database cannot be called {name}: PostgreSQL cuts names after {LONGEST} bytes, and another database "
            "may have that name.",
            hint="Give the database in use a shorter name (ALTER DATABASE … RENAME TO …), and change the settings.",
        )


def _rows(connection: psycopg.Connection[Any], query: str, name: str) -> list[tuple[Any, ...]]:
    return connection.cursor(row_factory=tuple_row).execute(text(query), {"name": name}).fetchall()


def _setting(name: str, setting: str, role: str | None) -> sql.Composed:
    whose = sql.SQL("database {}").format(sql.Identifier(name))
    if role:
        whose = sql.SQL("role {} in ").format(sql.Identifier(role)) + whose
    return text("database.set_there").format(whose=whose, option=sql.Identifier(*setting.split(".")))


def _named(query: str, name: str, **more: str) -> sql.Composed:
    identifiers = {key: sql.Identifier(value) for key, value in {"name": name, **more}.items()}
    return text(query).format(**identifiers)
