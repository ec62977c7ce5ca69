"""People and projects in a stack's database, and the database itself."""

from __future__ import annotations

from qfc.errors import NotFoundError
from qfc.stack.model import DatabaseStatus, Project, User

from . import rows
from .connection import Connect, Database

#: So many of the biggest tables are told of.
TABLES = 20


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

    def database(self) -> DatabaseStatus:
        """Return facts about the database itself."""
        with self._database.reading() as session:
            tables = tuple((row["name"], row["rows"], row["bytes"]) for row in session.rows("tables", limit=TABLES))
            return DatabaseStatus(**session.row("database"), tables=tables)
