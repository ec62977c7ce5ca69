"""Faulty rows in a stack's database, for the fault lab and for tests."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol


class LabRows(Protocol):
    """Creates rows in the state that faults leave. Tables have the suite's own names (`job`, `project`, `plan`, …).

    The rows of an account are removed with it. Columns that a release lacks are ignored. Every method raises
    RefusedError where the release has no such table.
    """

    def account(self, name: str, *, plan: str = "") -> None:
        """Create a user account with a subscription to the named plan, or to the default one."""
        ...

    def organization(self, name: str, *, owner: str, members: Sequence[str] = ()) -> None:
        """Create an organization with a subscription; its owner and members must have accounts."""
        ...

    def plan(self, code: str, **values: object) -> None:
        """Create a plan like the default plan of users, with these values changed."""
        ...

    def project(self, owner: str, name: str, *, made_at: datetime, **values: object) -> str:
        """Create a healthy project, with these columns changed; return its id."""
        ...

    def job(
        self,
        project: str,
        status: str = "pending",
        *,
        made_at: datetime,
        type: str = "package",
        started_at: datetime | None = None,
        ended_at: datetime | None = None,
        feedback: Mapping[str, Any] | None = None,
        output: str | None = None,
        worker: str = "",
    ) -> str:
        """Create a job of the project's owner; return its id."""
        ...

    def delta(
        self,
        project: str,
        status: str = "pending",
        *,
        made_at: datetime,
        job: str | None = None,
        content: Mapping[str, Any] | None = None,
        feedback: Mapping[str, Any] | None = None,
    ) -> str:
        """Create an edit, as part of an apply job where one is given; return its id."""
        ...

    def file(self, project: str, name: str, size: int, *, made_at: datetime) -> None:
        """Create the row of a project's file of `size` bytes; the bytes themselves do not exist."""
        ...

    def rows(self, table: str, where: Mapping[str, object], columns: Sequence[str]) -> tuple[dict[str, Any], ...]:
        """Return rows with these values, at most 1000, as JSON values."""
        ...

    def insert(self, table: str, **values: object) -> None:
        """Insert a row."""
        ...

    def change(self, table: str, where: Mapping[str, object], **values: object) -> int:
        """Change the rows with these values; return their number."""
        ...

    def delete(self, table: str, where: Mapping[str, object]) -> int:
        """Delete the rows with these values; return their number."""
        ...

    def remove(self, account: str) -> None:
        """Remove an account with everything that belongs to it; harmless when it does not exist."""
        ...

    def set_read_only(self, on: bool) -> None:
        """Make every new session of the database read-only, or writable again."""
        ...
