"""How conditions are read: rows become the model's own, or nothing where this release keeps no such rows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from ..connection import Database, Row

Thing = TypeVar("Thing")
#: So many rows are reported at most.
MOST = 100


class Reader:
    """Asks one database. Queries are named `topic.block`; what they need of the database is written there."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def row(self, query: str, **parameters: Any) -> Row:
        """Return the only row of a query that every release can answer."""
        with self._database.reading() as transaction:
            return transaction.row(query, **parameters)

    def all(self, model: Callable[..., Thing], query: str, **parameters: Any) -> tuple[Thing, ...]:
        """Return what a query finds that every release can answer."""
        with self._database.reading() as transaction:
            return tuple(model(**row) for row in transaction.rows(query, **parameters))

    def kept(self, model: Callable[..., Thing], query: str, **parameters: Any) -> tuple[Thing, ...] | None:
        """Return what a query finds; None where the database lacks what it needs."""
        found = self.kept_rows(query, **parameters)
        return None if found is None else tuple(model(**row) for row in found)

    def kept_rows(self, query: str, **parameters: Any) -> list[Row] | None:
        """Return the rows of a query; None where the database lacks what it needs."""
        with self._database.reading() as transaction:
            return transaction.rows(query, **parameters) if transaction.answers(query) else None
