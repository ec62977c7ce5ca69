"""The statements of `qfc/drivers/sql`, filled with the names of the live database."""

from __future__ import annotations

from functools import cache, lru_cache
from typing import LiteralString, cast

from psycopg import sql

from ..sql import blocks, statement
from .schema import Schema


@cache
def text(name: str) -> sql.SQL:
    """Return a statement as it is written."""
    return _written(statement(name))


@lru_cache(maxsize=256)
def compose(name: str, schema: Schema) -> sql.Composed:
    """Return a statement with the names of this database."""
    return text(name).format(**_placeholders(schema))


def _placeholders(schema: Schema) -> dict[str, sql.Composable]:
    """Return what stands for names of the database and for fragments, of which each may use those above it."""
    values = schema.placeholders()
    for block in blocks("fragments"):
        if block.name not in values and all(schema.has(*need.split(".")) for need in block.where):
            values[block.name] = _written(block.text).format(**values)
    return values


def _written(content: str) -> sql.SQL:
    # The files belong to the package: no input ever gets into them.
    return sql.SQL(cast(LiteralString, content))
