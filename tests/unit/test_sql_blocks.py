"""The statements of the drivers: code uses every block and no other, and nothing unknown is in braces."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from string import Formatter

import pytest

import qfc.drivers
from qfc.drivers.postgres.schema import COLUMNS, REQUIRED, TABLES
from qfc.drivers.runtimes.compose.observer import depth_query
from qfc.drivers.sql import Block, blocks, parse, statement

DRIVERS = Path(qfc.drivers.__file__).parent
TOPICS = sorted(path.stem for path in (DRIVERS / "sql").glob("*.sql"))
STATEMENTS = [topic for topic in TOPICS if topic != "fragments"]
NAME = re.compile(rf"({'|'.join(TOPICS)})\.\w+")
#: What the code puts in that sends a statement.
GIVEN = {"name", "to", "hashed"}
EXPRESSIONS = {"as_new", "author_columns", "author_values"}


def test_code_uses_every_block_and_no_other() -> None:
    there = {f"{topic}.{block.name}" for topic in STATEMENTS for block in blocks(topic)}
    assert set(_names_in_code()) == there


def test_every_fragment_is_used() -> None:
    used = {name for topic in TOPICS for block in blocks(topic) for name in _placeholders(block)}
    assert {block.name for block in blocks("fragments")} <= used


@pytest.mark.parametrize("topic", TOPICS)
def test_blocks_say_what_they_give_and_have_only_known_placeholders(topic: str) -> None:
    known = {*TABLES, *COLUMNS, *EXPRESSIONS, *(block.name for block in blocks("fragments"))}
    for block in blocks(topic):
        assert block.about, block.name
        assert block.text, block.name
        assert _placeholders(block) <= known | (GIVEN if topic == "database" else set()), block.name


@pytest.mark.parametrize("topic", TOPICS)
def test_tables_are_named_by_the_live_schema(topic: str) -> None:
    theirs = {name for names in TABLES.values() for name in names}
    for block in blocks(topic):
        assert not theirs & set(re.findall(r"\w+", block.text)), block.name


def test_fragments_say_which_tables_they_need() -> None:
    for block in blocks("fragments"):
        needed = {*REQUIRED, *(need.partition(".")[0] for need in block.where)}
        assert _placeholders(block) & set(TABLES) <= needed, block.name


def test_a_name_that_occurs_twice_is_refused() -> None:
    with pytest.raises(ValueError, match=r"jobs\.sql has two blocks named depth"):
        parse("jobs", "-- Jobs.\n\n-- name: depth\n-- One.\nselect 1\n\n-- name: depth\n-- Two.\nselect 2\n")


def test_a_block_is_its_statement_without_what_explains_it() -> None:
    (first, second) = parse(
        "jobs", "-- Jobs.\n\n-- name: a where job, job.x\n-- One,\n-- two.\nselect 1 -- one\n\n-- name: b\nselect 2\n"
    )
    assert first == Block("a", ("job", "job.x"), "One, two.", "select 1 -- one")
    assert second == Block("b", (), "", "select 2")


def test_the_query_of_a_look_is_one_line_for_a_shell() -> None:
    query = depth_query()
    assert "\n" not in query and "--" not in query and "{" not in query
    assert "from core_job j" in query and statement("jobs.depth").startswith("select count(*)")


def _names_in_code() -> Iterator[str]:
    for path in DRIVERS.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and NAME.fullmatch(node.value):
                yield node.value


def _placeholders(block: Block) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(block.text) if name}
