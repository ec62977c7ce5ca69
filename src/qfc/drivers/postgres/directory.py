"""People and projects in a stack's database, and the database itself."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from datetime import datetime

from qfc.errors import NotFoundError
from qfc.stack.model import DatabaseStatus, Project, User

from . import rows
from .connection import Connect, Database

#: So many of the biggest tables are told of.
TABLES = 20
#: A token has 100 characters, as the application's own have.
TOKEN_BYTES = 75
#: What the list of tokens shows of ours. Its client type lets several be valid at a time.
AGENT = "sdk|qfc"


class PostgresDirectory:
    """The people and the projects of a stack. Implements `qfc.stack.ports.Directory`."""

    def __init__(self, connect: Connect) -> None:
        self._database = Database(connect)

    def close(self) -> None:
        """Close the connections."""
        self._database.close()

    def users(self, *, limit: int = 10_000) -> tuple[User, ...]:
        """Return accounts of people and organizations, in the order of names."""
        with self._database.reading() as session:
            return tuple(map(rows.user, session.rows("users", limit=limit)))

    def projects(self, *, limit: int = 1000) -> tuple[Project, ...]:
        """Return projects, the most recently changed first."""
        with self._database.reading() as session:
            return tuple(map(rows.project, session.rows("projects", limit=limit)))

    def project(self, name: str) -> Project:
        """Return a project by its id or by `owner/name`. Raises NotFoundError."""
        owner, _, own_name = name.partition("/")
        with self._database.reading() as session:
            found = session.rows("project", id=rows.uuid_or_none(name), owner=owner, name=own_name)
        if not found:
            raise NotFoundError(f"There is no project {name}.", hint="Type: qfc projects list")
        return rows.project(found[0])

    def set_active(self, username: str, active: bool) -> int:
        """Let a person log in, or not and end all tokens; return the number of tokens ended. Raises NotFoundError."""
        with self._database.writing() as session:
            changed = session.rows("user_set_active", username=username, active=active)
            if not changed:
                raise NotFoundError(f"There is no person named {username}.", hint="Type: qfc users list")
            if active or not session.schema.has("token"):
                return 0
            return session.change("tokens_end", user_id=changed[0]["id"])

    def setting(self, name: str) -> str | None:
        """Return a stored value of the application's table of settings, as it is; None without one."""
        with self._database.reading() as session:
            found = session.rows("setting", name=name) if session.schema.has("setting") else []
        return found[0]["value"] if found else None

    def rows_of(self, table: str) -> int | None:
        """Count the rows of a table; None when the database has no such table."""
        with self._database.reading() as session:
            return session.rows_of(table)

    def applied_migrations(self) -> tuple[str, ...]:
        """Return the migrations that the database has, as app.name, in the order in which they were applied."""
        with self._database.reading() as session:
            return tuple(row["name"] for row in session.rows("migrations"))

    def changes_since(self, moment: datetime) -> Mapping[str, int]:
        """Count what came after a moment: deltas, projects, files (where the database knows them)."""
        with self._database.reading() as session:
            counts = {"deltas": session.row("deltas_since", since=moment)["count"]}
            counts["projects"] = session.row("projects_since", since=moment)["count"]
            if session.schema.has("file_version"):
                counts["file versions"] = session.row("file_versions_since", since=moment)["count"]
            return counts

    def stored_bytes(self) -> int:
        """Return what all versions of all projects' files take, as the application counts."""
        with self._database.reading() as session:
            return int(session.row("stored_bytes")["bytes"])

    def open_session(self, username: str, *, seconds: int) -> str:
        """Make a token with which the API takes us for that person; it ends by itself. Raises NotFoundError."""
        token = secrets.token_urlsafe(TOKEN_BYTES)
        with self._database.writing() as session:
            if not session.change("token_insert", key=token, username=username, seconds=seconds, agent=AGENT):
                raise NotFoundError(f"There is no person named {username}.", hint="Type: qfc users list")
        return token

    def close_session(self, token: str) -> None:
        """End a token and forget it; harmless when it is gone."""
        with self._database.writing() as session:
            session.change("token_delete", key=token)

    def database(self) -> DatabaseStatus:
        """Return facts about the database itself."""
        with self._database.reading() as session:
            tables = tuple((row["name"], row["rows"], row["bytes"]) for row in session.rows("tables", limit=TABLES))
            return DatabaseStatus(**session.row("database"), tables=tables)
