"""The twin of a stack's database: its users and projects."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from qfc.errors import NotFoundError
from qfc.stack.model import DatabaseStatus, Plan, Project, Subscription, User
from qfc.stack.ports import Directory


class MemoryDirectory(Directory):
    """Users and projects in memory. Implements `qfc.stack.ports.Directory`. `tokens` counts a user's valid ones."""

    def __init__(self) -> None:
        self.user_rows: dict[str, User] = {}
        self.project_rows: dict[str, Project] = {}
        self.tokens: dict[str, int] = {}
        self.settings: dict[str, str] = {}
        self.subscriptions: dict[str, Subscription] = {}
        self.plan_rows: tuple[Plan, ...] = ()
        self.migrations: tuple[str, ...] = ()
        self.tables: dict[str, int] = {}
        self.sessions: dict[str, str] = {}
        self.dead: tuple[str, ...] = ()
        self.status = DatabaseStatus(version="memory", size_bytes=0, connections=0, max_connections=1)

    def users(self, *, limit: int = 10_000) -> tuple[User, ...]:
        return tuple(sorted(self.user_rows.values(), key=lambda user: user.username))[:limit]

    def projects(self, *, limit: int = 1000) -> tuple[Project, ...]:
        """Return projects, the most recently changed (here: created) first."""
        return tuple(reversed(self.project_rows.values()))[:limit]

    def project(self, name: str) -> Project:
        for project in self.project_rows.values():
            if name.lower() == project.id or _named(project, name):
                return project
        raise NotFoundError(f"There is no project {name}.", hint="Type: qfc projects list")

    def set_active(self, username: str, active: bool) -> int:
        for name, user in self.user_rows.items():
            if name.upper() == username.upper() and user.type == "person":
                self.user_rows[name] = replace(user, is_active=active)
                return 0 if active else self.tokens.pop(name, 0)
        raise NotFoundError(f"There is no account named {username}.", hint="Type: qfc users list")

    def subscription(self, username: str) -> Subscription | None:
        """Return what was given for an account."""
        return self.subscriptions.get(username)

    def plans(self) -> tuple[Plan, ...]:
        """Return the plans that were given."""
        return self.plan_rows

    def set_added_storage(self, username: str, added_bytes: int) -> int:
        """Let an account store that much more than its plan allows. Raises NotFoundError."""
        known = self._subscription(username)
        unit = known.unit_bytes or 1_000_000
        added = -(-added_bytes // unit) * unit
        self.subscriptions[username] = replace(known, added_bytes=added, unit_bytes=unit)
        user = self.user_rows[username]
        self.user_rows[username] = replace(user, storage_quota_bytes=known.plan_bytes + added)
        return added

    def set_plan(self, username: str, code: str) -> None:
        known = self._subscription(username)
        for plan in self.plan_rows:
            if plan.code == code:
                self.subscriptions[username] = replace(
                    known, plan=code, plan_bytes=plan.storage_bytes, status="active_paid"
                )
                user, quota = self.user_rows[username], plan.storage_bytes + known.added_bytes
                self.user_rows[username] = replace(user, storage_quota_bytes=quota)
                return
        raise NotFoundError(f"There is no plan {code}.", hint="Type: qfc users plans")

    def end_tokens(self, username: str) -> int:
        return self.tokens.pop(username, 0)

    def responsible(self, project_id: str) -> str:
        """Return the owner of a project."""
        return self.project(project_id).owner

    def responsible_for_account(self, username: str) -> str:
        """Return the account itself. Raises NotFoundError."""
        if username not in self.user_rows:
            raise NotFoundError(f"There is no account named {username}.", hint="Type: qfc users list")
        return username

    def _subscription(self, username: str) -> Subscription:
        if username not in self.subscriptions:
            raise NotFoundError(f"{username} has no subscription.", hint="Type: qfc users list")
        return self.subscriptions[username]

    def setting(self, name: str) -> str | None:
        """Return a stored value that was given."""
        return self.settings.get(name)

    def rows_of(self, table: str) -> int | None:
        """Count the rows of a table that was given."""
        return self.tables.get(table)

    def applied_migrations(self) -> tuple[str, ...]:
        """Return the migrations that were given."""
        return self.migrations

    def changes_since(self, moment: datetime) -> Mapping[str, int]:
        """Count projects that were changed after a moment."""
        dates = [one.data_last_updated_at for one in self.project_rows.values()]
        return {"projects": sum(date is not None and date > moment for date in dates)}

    def stored_bytes(self) -> int:
        """Return the sum over all projects."""
        return sum(project.size_bytes for project in self.project_rows.values())

    def open_session(self, username: str, *, seconds: int) -> str:
        """Create a token. Raises NotFoundError."""
        del seconds
        user = self.user_rows.get(username)
        if user is None or not user.is_active or user.type != "person":
            raise NotFoundError(f"There is no account named {username}.", hint="Type: qfc users list")
        token = f"token-{len(self.sessions) + 1}"
        self.sessions[token] = username
        return token

    def close_session(self, token: str) -> None:
        """Forget a token."""
        self.sessions.pop(token, None)

    def vacuum(self) -> tuple[str, ...]:
        """Return the tables that were given; then none needs it any more."""
        due, self.dead = self.dead, ()
        return due

    def database(self) -> DatabaseStatus:
        return self.status


def _named(project: Project, name: str) -> bool:
    owner, _, own_name = name.partition("/")
    return owner.upper() == project.owner.upper() and own_name == project.name
