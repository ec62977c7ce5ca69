"""Completes the statements of `qfc/drivers/sql` with the names of the live database."""

from __future__ import annotations

from functools import cache, lru_cache
from typing import LiteralString, cast

from psycopg import sql

from qfc.errors import QfcError

from ..sql import block, blocks
from .schema import Schema


@cache
def text(name: str) -> sql.SQL:
    """Return a statement as in its file."""
    return _written(block(name).text)


def answers(name: str, schema: Schema) -> bool:
    """Return whether a database has the tables and columns that a statement needs."""
    return schema.meets(block(name).needs)


@lru_cache(maxsize=256)
def compose(name: str, schema: Schema) -> sql.Composed:
    """Return a statement with the names of this database. Raises QfcError if it lacks a table or column."""
    if not answers(name, schema):
        needs = ", ".join(block(name).needs)
        raise QfcError(f"The database of this release lacks one of: {needs}.", hint="Type: qfc db status")
    return text(name).format(**_placeholders(schema))


def _placeholders(schema: Schema) -> dict[str, sql.Composable]:
    """Return the placeholders for names of the database and for fragments; a fragment can use those above it."""
    values = schema.placeholders()
    for fragment in blocks("fragments"):
        if fragment.name not in values and schema.meets(fragment.needs):
            values[fragment.name] = _written(fragment.text).format(**values)
    return values


def _written(content: str) -> sql.SQL:
    # The files are part of the package: no input ever gets into them.
    return sql.SQL(cast(LiteralString, content))
