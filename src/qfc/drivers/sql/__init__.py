"""The statements that drivers send to a stack's database: one file per topic, with named blocks.

A block begins with a line `-- name: depth`, optionally `-- needs: worker`, and comments on its results; code calls it
`jobs.depth`. `fragments.sql` explains needs and placeholders in braces. Nothing here depends on PostgreSQL:
`drivers/postgres/queries.py` completes the statements, and `drivers/runtimes/compose/observer.py` puts one into a shell
script.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources

NAME = re.compile(r"^-- name: (\w+)\n", re.MULTILINE)
NEEDS = "-- needs: "


@dataclass(frozen=True)
class Block:
    """A statement, or a part of one. `needs` are tables and columns: `job`, `project.locked_at`."""

    name: str
    needs: tuple[str, ...]
    about: str
    text: str


def block(name: str) -> Block:
    """Return the block named `topic.block`. Raises KeyError."""
    topic, _, own_name = name.partition(".")
    return _by_name(topic)[own_name]


@cache
def blocks(topic: str) -> tuple[Block, ...]:
    """Return the blocks of a topic in the order of its file. Raises ValueError for two with the same name."""
    content = resources.files(__name__).joinpath(f"{topic}.sql").read_text(encoding="utf-8")
    return parse(topic, content)


def parse(topic: str, content: str) -> tuple[Block, ...]:
    """Return the blocks of a file. Raises ValueError for a name that occurs twice with the same needs."""
    _, *parts = NAME.split(content)
    found = tuple(_block(name, body) for name, body in zip(parts[::2], parts[1::2], strict=True))
    counts = Counter((one.name, one.needs) for one in found)
    twice = sorted(name for (name, _), count in counts.items() if count > 1)
    if twice:
        raise ValueError(f"{topic}.sql has two blocks named {', '.join(twice)}.")
    return found


@cache
def _by_name(topic: str) -> Mapping[str, Block]:
    return {one.name: one for one in blocks(topic)}


def _block(name: str, body: str) -> Block:
    """Create a block from the text after its name: comments, then the statement."""
    lines = body.strip().splitlines()
    comments = next((place for place, line in enumerate(lines) if not line.startswith("--")), len(lines))
    needs = [line.removeprefix(NEEDS) for line in lines[:comments] if line.startswith(NEEDS)]
    about = [line.removeprefix("--").strip() for line in lines[:comments] if not line.startswith(NEEDS)]
    named = tuple(need for line in needs for need in line.split(", "))
    return Block(name, named, " ".join(about), "\n".join(lines[comments:]))
