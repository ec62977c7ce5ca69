"""Reads conditions: rows become objects of the model, or None if this release stores no such rows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from ..connection import Database, Row

Thing = TypeVar("Thing")
#: At most this many rows are reported.
MOST = 100


class Reader:
    """Reads one database. Queries are named `topic.block`; their blocks declare the tables that they need."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def row(self, query: str, **parameters: Any) -> Row:
        """Return the only row of a query that works in every release."""
        with self._database.reading() as transaction:
            return transaction.row(query, **parameters)

    def all(self, model: Callable[..., Thing], query: str, **parameters: Any) -> tuple[Thing, ...]:
        """Return the results of a query that works in every release."""
        with self._database.reading() as transaction:
            return tuple(model(**row) for row in transaction.rows(query, **parameters))

    def kept(self, model: Callable[..., Thing], query: str, **parameters: Any) -> tuple[Thing, ...] | None:
        """Return the results of a query; None if the database lacks a table or column that it needs."""
        found = self.kept_rows(query, **parameters)
        return None if found is None else tuple(model(**row) for row in found)

    def kept_rows(self, query: str, **parameters: Any) -> list[Row] | None:
        """Return the rows of a query; None if the database lacks a table or column that it needs."""
        with self._database.reading() as transaction:
            return transaction.rows(query, **parameters) if transaction.answers(query) else None
