"""The statements of the drivers: the code uses exactly these blocks, and braces contain only known names."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from string import Formatter

import pytest

import qfc.drivers
from qfc.drivers.postgres.queries import compose
from qfc.drivers.postgres.schema import COLUMNS, REQUIRED, TABLES, Schema
from qfc.drivers.queue_depth import depth_query, parsed_depth
from qfc.drivers.runtimes.embedded.workload import EmbeddedWorkload
from qfc.drivers.sql import Block, block, blocks, parse
from qfc.errors import QfcError
from qfc.stack.model import QueueDepth
from twins import MemoryClock, MemoryQueue

DRIVERS = Path(qfc.drivers.__file__).parent
TOPICS = sorted(path.stem for path in (DRIVERS / "sql").glob("*.sql"))
STATEMENTS = [topic for topic in TOPICS if topic != "fragments"]
NAME = re.compile(rf"({'|'.join(TOPICS)})\.\w+")
FRAGMENTS = {one.name for one in blocks("fragments")}
UNCONDITIONAL = {one.name for one in blocks("fragments") if not one.needs}
#: Fragments that are empty in some releases, with their requirements.
CONDITIONAL = {one.name: one.needs for one in blocks("fragments") if one.name not in UNCONDITIONAL}
EXPRESSIONS = {"as_new", "author_columns", "author_values"}
#: Names that the code fills in when it sends the statement, by topic.
GIVEN = {
    "database": {"name", "to", "hashed", "options", "whose", "option", "of", "owner"},
    "project_restore": {"id", "table", "rows", "values", "column", "columns"},
}


def test_code_uses_every_block_and_no_other() -> None:
    assert set(_names_in_code()) == {f"{topic}.{one.name}" for topic in STATEMENTS for one in blocks(topic)}


def test_every_fragment_is_used() -> None:
    assert {name for topic in TOPICS for one in blocks(topic) for name in _placeholders(one)} >= FRAGMENTS


@pytest.mark.parametrize("topic", TOPICS)
def test_blocks_say_what_they_give_and_have_only_known_placeholders(topic: str) -> None:
    known = {*TABLES, *COLUMNS, *FRAGMENTS, *EXPRESSIONS, *GIVEN.get(topic, ())}
    for one in blocks(topic):
        assert one.about, one.name
        assert one.text, one.name
        assert _placeholders(one) <= known, one.name


@pytest.mark.parametrize("topic", TOPICS)
def test_blocks_need_the_tables_that_they_name_and_that_not_every_release_has(topic: str) -> None:
    for one in blocks(topic):
        needed = {need.partition(".")[0] for need in one.needs}
        named = _placeholders(one)
        for fragment in named & set(CONDITIONAL):
            named |= {need.partition(".")[0] for need in CONDITIONAL[fragment]}
        assert named & set(TABLES) <= {*needed, *REQUIRED}, one.name
        assert needed <= set(TABLES), one.name


@pytest.mark.parametrize("topic", TOPICS)
def test_tables_are_named_by_the_live_schema(topic: str) -> None:
    theirs = {name for names in TABLES.values() for name in names}
    for one in blocks(topic):
        assert not theirs & set(re.findall(r"\w+", one.text)), one.name


@pytest.mark.parametrize("topic", STATEMENTS)
def test_a_statement_has_a_name_of_its_own(topic: str) -> None:
    names = [one.name for one in blocks(topic)]
    assert len(names) == len(set(names))


def test_a_name_that_occurs_twice_is_refused() -> None:
    with pytest.raises(ValueError, match=r"jobs\.sql has two blocks named depth"):
        parse("jobs", "-- Jobs.\n\n-- name: depth\n-- One.\nselect 1\n\n-- name: depth\n-- Two.\nselect 2\n")


def test_a_block_is_its_statement_without_what_explains_it() -> None:
    first = "-- name: a\n-- needs: job, job.x\n-- needs: file\n-- One,\n-- two.\nselect 1 -- one\n"
    assert parse("jobs", f"-- Jobs.\n\n{first}\n-- name: b\nselect 2\n") == (
        Block("a", ("job", "job.x", "file"), "One, two.", "select 1 -- one"),
        Block("b", (), "", "select 2"),
    )


def test_a_statement_is_not_sent_to_a_database_that_lacks_what_it_needs() -> None:
    bare = Schema({name: TABLES[name][0] for name in REQUIRED}, {name: frozenset() for name in REQUIRED})
    with pytest.raises(QfcError, match="lacks one of: subscription, plan"):
        compose("accounts.set_plan", bare)


@pytest.mark.parametrize("column", ["the_qgis_file_id", "the_qgis_file_name", "project_filename"])
def test_a_project_file_is_seen_where_the_release_stores_it(column: str) -> None:
    assert f"when not p.{column} is not null" in projects_query(column)


def test_a_project_file_that_a_release_stores_elsewhere_does_not_count_as_missing() -> None:
    assert "when not true or" in projects_query("the_qgis_file_of_tomorrow")


def projects_query(column: str) -> str:
    """Return the query for projects in a database whose projects have this column."""
    columns = {name: frozenset[str]() for name in REQUIRED} | {"project": frozenset({column})}
    return compose("projects.newest", Schema({name: TABLES[name][0] for name in REQUIRED}, columns)).as_string(None)


def test_the_query_of_a_look_is_one_line_for_a_shell() -> None:
    query = depth_query()
    assert "\n" not in query and "--" not in query and "{" not in query
    assert "from core_job j" in query and block("jobs.depth").text.startswith("select count(*)")


def test_the_depth_is_read_from_what_psql_prints_and_nothing_else() -> None:
    answer = '{"pending": 1, "queued": 0, "started": 2, "oldest_pending_s": 3.5}'
    assert parsed_depth(answer + "\n") == QueueDepth(1, 0, 2, 3.5)
    assert [parsed_depth(text) for text in ("", "[]", '{"pending": 1}', "psql: error")] == [None] * 4


def test_an_embedded_stack_without_psql_asks_its_database() -> None:
    queue = MemoryQueue(MemoryClock())
    workload = EmbeddedWorkload(lambda _: None, lambda: queue)
    assert workload.depth() == queue.depth()
    asked = EmbeddedWorkload(
        lambda _: '{"pending": 7, "queued": 0, "started": 0, "oldest_pending_s": 0}', lambda: queue
    )
    assert asked.depth().pending == 7


def _names_in_code() -> Iterator[str]:
    for path in DRIVERS.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and NAME.fullmatch(node.value):
                yield node.value


def _placeholders(one: Block) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(one.text) if name}
