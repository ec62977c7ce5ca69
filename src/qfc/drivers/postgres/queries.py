"""The named queries of `qfc/drivers/sql`: read once, and filled with the names of the live database."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache, lru_cache
from importlib import resources
from typing import LiteralString, cast

from psycopg import sql

from .schema import Schema

#: Parts of queries: placeholder → (file, table that it needs, what stands for it where that table is missing).
PARTS: Mapping[str, tuple[str, str, LiteralString]] = {
    "job_columns": ("part_job_columns", "job", ""),
    "delta_columns": ("part_delta_columns", "delta", ""),
    "project_files": ("part_project_files", "file", "null::bigint"),
    "quota": ("part_quota", "subscription", "null::bigint"),
    "project_columns": ("part_project_columns", "project", ""),
    "found_files": ("part_found_files", "file_version", ""),
}


@cache
def text(name: str) -> sql.SQL:
    """Return a query as it is written. The files belong to the package: no input ever gets into them."""
    content = resources.files("qfc.drivers").joinpath("sql", f"{name}.sql").read_text(encoding="utf-8")
    return sql.SQL(cast(LiteralString, content))


@lru_cache(maxsize=256)
def compose(name: str, schema: Schema) -> sql.Composed:
    """Return a query with the names of this database."""
    placeholders = _placeholders(schema)
    return text(name).format(**placeholders)


def _placeholders(schema: Schema) -> dict[str, sql.Composable]:
    values = schema.placeholders()
    values["ended_at"] = text("part_ended_at_node" if schema.has_leases else "part_ended_at")
    values["created_bound"] = text("part_created_bound_node" if schema.has_leases else "part_created_bound")
    values["has_effect"] = _has_effect(schema, values)
    values["details_missing"] = _details_missing(schema, values)
    for placeholder, (part, table, instead) in PARTS.items():
        written = text(part).format(**values) if schema.has(table) else sql.SQL(instead)
        values[placeholder] = written
    return values


def _has_effect(schema: Schema, values: Mapping[str, sql.Composable]) -> sql.Composable:
    """Return the condition that a job may have changed something: always, where the database cannot tell."""
    tells = schema.has("file_version") and schema.has("project", "project_details")
    return text("part_has_effect").format(**values) if tells else sql.SQL("true")


def _details_missing(schema: Schema, values: Mapping[str, sql.Composable]) -> sql.Composable:
    if schema.has("project", "project_details"):
        return sql.SQL("p.project_details is null")
    return text("part_description_failed").format(**values)
