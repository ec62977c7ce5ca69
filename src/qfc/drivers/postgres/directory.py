"""Users and projects in a stack's database, and the database itself."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from datetime import datetime

from qfc.errors import NotFoundError
from qfc.stack.model import DatabaseStatus, Plan, Project, Subscription, User

from ...stack.ports import Directory
from . import rows
from .connection import Connect, Database

#: The number of the largest tables to report.
TABLES = 20
#: Tables with fewer dead rows need no vacuum, nor do those in which a smaller share is dead. PostgreSQL itself waits
#: for twice that share.
MANY_ROWS, DEAD_SHARE = 1000, 0.1
#: The server's unit: 10^6 bytes.
MEGABYTE = 1_000_000
#: A token has 100 characters, like those of the application.
TOKEN_BYTES = 75
#: Our entry in the list of tokens. Its client type allows several valid tokens at a time.
AGENT = "sdk|qfc"


class PostgresDirectory(Directory):
    """The users and projects of a stack, in its database."""

    def __init__(self, connect: Connect) -> None:
        self._database = Database(connect)

    def close(self) -> None:
        """Close the connections."""
        self._database.close()

    def users(self, *, limit: int = 10_000) -> tuple[User, ...]:
        with self._database.reading() as transaction:
            return tuple(map(rows.user, transaction.rows("accounts.users", limit=limit)))

    def projects(self, *, limit: int = 1000) -> tuple[Project, ...]:
        with self._database.reading() as transaction:
            return tuple(map(rows.project, transaction.rows("projects.newest", limit=limit)))

    def project(self, name: str) -> Project:
        owner, _, own_name = name.partition("/")
        with self._database.reading() as transaction:
            found = transaction.rows("projects.by_name", id=rows.uuid_or_none(name), owner=owner, name=own_name)
        if not found:
            raise NotFoundError(f"There is no project {name}.", hint="Type: qfc projects list")
        return rows.project(found[0])

    def set_active(self, username: str, active: bool) -> int:
        with self._database.writing() as transaction:
            changed = transaction.rows("accounts.set_active", username=username, active=active)
            if not changed:
                raise NotFoundError(f"There is no account named {username}.", hint="Type: qfc users list")
            if active or not transaction.answers("accounts.end_tokens"):
                return 0
            return transaction.change("accounts.end_tokens", user_id=changed[0]["id"])

    def subscription(self, username: str) -> Subscription | None:
        with self._database.reading() as transaction:
            if not transaction.answers("accounts.subscription"):
                return None
            found = transaction.rows("accounts.subscription", username=username)
        return rows.subscription(found[0]) if found else None

    def plans(self) -> tuple[Plan, ...]:
        with self._database.reading() as transaction:
            found = transaction.rows("accounts.plans") if transaction.answers("accounts.plans") else []
        return tuple(map(rows.plan, found))

    def set_added_storage(self, username: str, added_bytes: int) -> int:
        with self._database.writing() as transaction:
            found = transaction.rows("accounts.subscription", username=username)
            if not found:
                raise NotFoundError(f"{username} has no subscription.", hint="Type: qfc users list")
            unit = found[0]["unit_bytes"]
            if unit is None:
                transaction.change("accounts.insert_storage_type", megabyte=1)
                unit = MEGABYTE
            transaction.change("accounts.end_storage", subscription=found[0]["id"])
            quantity = -(-added_bytes // unit)
            if quantity > 0:
                transaction.change("accounts.insert_storage", subscription=found[0]["id"], quantity=quantity)
        return quantity * unit

    def set_plan(self, username: str, code: str) -> None:
        with self._database.writing() as transaction:
            if not transaction.change("accounts.set_plan", username=username, code=code):
                raise NotFoundError(
                    f"There is no account {username}, or no plan {code} for it.", hint="Type: qfc users plans"
                )

    def end_tokens(self, username: str) -> int:
        with self._database.writing() as transaction:
            if not transaction.answers("accounts.end_tokens_of"):
                return 0
            return transaction.change("accounts.end_tokens_of", username=username)

    def responsible(self, project_id: str) -> str:
        with self._database.reading() as transaction:
            return transaction.row("projects.responsible", id=project_id)["username"]

    def responsible_for_account(self, username: str) -> str:
        with self._database.reading() as transaction:
            found = transaction.rows("accounts.responsible", username=username)
        if not found:
            raise NotFoundError(f"There is no account named {username}.", hint="Type: qfc users list")
        return found[0]["username"]

    def setting(self, name: str) -> str | None:
        with self._database.reading() as transaction:
            found = transaction.rows("database.setting", name=name) if transaction.answers("database.setting") else []
        return found[0]["value"] if found else None

    def rows_of(self, table: str) -> int | None:
        with self._database.reading() as transaction:
            return transaction.rows_of(table)

    def applied_migrations(self) -> tuple[str, ...]:
        with self._database.reading() as transaction:
            return tuple(row["name"] for row in transaction.rows("database.migrations"))

    def changes_since(self, moment: datetime) -> Mapping[str, int]:
        """Count the deltas, projects and files (if the database has them) that are newer than a time."""
        with self._database.reading() as transaction:
            counts = {"deltas": transaction.row("projects.deltas_since", since=moment)["count"]}
            counts["projects"] = transaction.row("projects.projects_since", since=moment)["count"]
            if transaction.answers("projects.file_versions_since"):
                counts["file versions"] = transaction.row("projects.file_versions_since", since=moment)["count"]
            return counts

    def stored_bytes(self) -> int:
        with self._database.reading() as transaction:
            return int(transaction.row("projects.stored_bytes")["bytes"])

    def open_session(self, username: str, *, seconds: int) -> str:
        token = secrets.token_urlsafe(TOKEN_BYTES)
        with self._database.writing() as transaction:
            if not transaction.change(
                "accounts.insert_token", key=token, username=username, seconds=seconds, agent=AGENT
            ):
                raise NotFoundError(f"There is no account named {username}.", hint="Type: qfc users list")
        return token

    def close_session(self, token: str) -> None:
        with self._database.writing() as transaction:
            transaction.change("accounts.delete_token", key=token)

    def vacuum(self) -> tuple[str, ...]:
        with self._database.reading() as transaction:
            due = tuple(
                row["name"] for row in transaction.rows("database.vacuum_due", rows=MANY_ROWS, share=DEAD_SHARE)
            )
        self._database.vacuum(due)
        return due

    def database(self) -> DatabaseStatus:
        with self._database.reading() as transaction:
            tables = tuple(
                (row["name"], row["rows"], row["bytes"]) for row in transaction.rows("database.tables", limit=TABLES)
            )
            return DatabaseStatus(**transaction.row("database.facts"), tables=tables)
