"""A stack's database put into faulty states, for the fault lab and for tests."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol


class LabRows(Protocol):
    """Makes rows as faults leave them. Tables have the names that the suite has for them (`job`, `project`, `plan`, …).

    What belongs to an account goes with it. Columns that a release does not have are left out. Raises RefusedError
    where the release has no such table.
    """

    def account(self, name: str, *, plan: str = "") -> None:
        """Make the account of a person, with a subscription: to the plan named, else to the default one."""
        ...

    def organization(self, name: str, *, owner: str, members: Sequence[str] = ()) -> None:
        """Make an organization of people who have accounts, with a subscription."""
        ...

    def plan(self, code: str, **values: object) -> None:
        """Make a plan like people's default one, with other values."""
        ...

    def project(self, owner: str, name: str, *, made_at: datetime, **values: object) -> str:
        """Make a project; return its id. Columns may be given other values than those of a healthy one."""
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
        """Make a job of the project's owner; return its id."""
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
        """Make an edit, as a part of an apply job where one is given; return its id."""
        ...

    def file(self, project: str, name: str, size: int, *, made_at: datetime) -> None:
        """Make the row of a project's file of so many bytes, of which there are none."""
        ...

    def rows(self, table: str, where: Mapping[str, object], columns: Sequence[str]) -> tuple[dict[str, Any], ...]:
        """Return rows with these values, at most 1000, as JSON can keep them."""
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
        """Remove an account with all that belongs to it; harmless when it is not there."""
        ...

    def set_read_only(self, on: bool) -> None:
        """Let every session of the database that begins from now on only read, or not."""
        ...
