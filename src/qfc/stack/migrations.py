"""The application's list of migrations, as it prints it. Pure."""

from __future__ import annotations


def planned(printed: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return all migrations in the output of `showmigrations --plan`, and those that the database lacks."""
    lines = [line.strip() for line in printed.splitlines()]
    marked = [(line[:3], line[3:].split()[0]) for line in lines if line.startswith(("[X]", "[ ]"))]
    return tuple(name for _, name in marked), tuple(name for mark, name in marked if mark == "[ ]")
