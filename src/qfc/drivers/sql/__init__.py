"""The statements that drivers send to a stack's database: topic files, each of named blocks.

A block begins with a line `-- name: depth` and comments that say what it gives; code calls it `jobs.depth`. What stands
in braces is explained in `fragments.sql`. Nothing here knows PostgreSQL: `drivers/postgres/queries.py` fills the
statements in, and `drivers/runtimes/compose/observer.py` makes one a part of a shell script.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources

TITLE = re.compile(r"^-- name: (?P<name>\w+)(?: where (?P<where>[\w., ]+))?\n", re.MULTILINE)


@dataclass(frozen=True)
class Block:
    """A statement, or a part of one. `where` has the tables and columns that it needs, by our names for them."""

    name: str
    where: tuple[str, ...]
    about: str
    text: str


def statement(name: str) -> str:
    """Return the statement called `topic.block`."""
    topic, _, block = name.partition(".")
    return _statements(topic)[block]


@cache
def blocks(topic: str) -> tuple[Block, ...]:
    """Return the blocks of a topic in the order of its file. Raises ValueError when two of them are the same."""
    content = resources.files(__name__).joinpath(f"{topic}.sql").read_text(encoding="utf-8")
    return parse(topic, content)


def parse(topic: str, content: str) -> tuple[Block, ...]:
    """Return the blocks of a file. Raises ValueError for a name that occurs twice."""
    _, *parts = TITLE.split(content)
    found = [_block(*parts[place : place + 3]) for place in range(0, len(parts), 3)]
    titles = [(block.name, block.where) for block in found]
    twice = {name for name, where in titles if titles.count((name, where)) > 1}
    if twice:
        raise ValueError(f"{topic}.sql has two blocks named {', '.join(sorted(twice))}.")
    return tuple(found)


@cache
def _statements(topic: str) -> Mapping[str, str]:
    return {block.name: block.text for block in blocks(topic)}


def _block(name: str, where: str | None, body: str) -> Block:
    """Make a block of what follows its title: comments, then the statement."""
    lines = body.strip().splitlines()
    comments = next((place for place, line in enumerate(lines) if not line.startswith("--")), len(lines))
    about = " ".join(line.removeprefix("--").strip() for line in lines[:comments])
    needs = tuple(need.strip() for need in where.split(",")) if where else ()
    return Block(name, needs, about, "\n".join(lines[comments:]))
