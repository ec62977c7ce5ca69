"""What running servers of official releases have: tables, and migrations as rows and as the application prints them.

A block of SQL that a new release no longer answers must be noticed here, not on a server.
"""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from qfc.drivers.postgres.queries import compose
from qfc.drivers.postgres.schema import TABLES, Schema
from qfc.drivers.sql import blocks
from qfc.stack.migrations import not_in_release, planned
from recorded import RECORDED, recorded

#: Since v26.4 one migration replaces four that the database has had.
WITH_SQUASHED = RECORDED[1:]
TOPICS = ("accounts", "changes", "jobs", "projects", "conditions_accounts", "conditions_files",
          "conditions_projects", "conditions_server", "conditions_work")  # fmt: skip
#: Tables that only the node has.
OF_THE_NODE = {"worker"}
#: Tables that came later, and such as were not noted for a release.
LACKING: Mapping[str, set[str]] = {
    "v25_20": {"qgis_project", "qgis_layer", "project_seed", "faulty_deltafile"},
    "v26_04": {"qgis_project", "qgis_layer", "project_seed"},
    "v26_21": {"qgis_project", "qgis_layer"},
    "v26_25": set(),
}


def schema(release: str) -> Schema:
    """Return the tables and columns of a recorded release by our names."""
    tables: Mapping[str, Mapping[str, str]] = recorded(release)["tables"]
    names = {ours: name for ours, known in TABLES.items() for name in reversed(known) if name in tables}
    return Schema(names, {ours: frozenset(tables[name]) for ours, name in names.items()})


@pytest.mark.parametrize("release", RECORDED)
def test_no_migration_of_a_running_server_is_foreign_to_its_own_release(release: str) -> None:
    answers = recorded(release)["migrations"]
    known, missing = planned("\n".join(answers["printed"]))
    assert missing == ()
    assert (len(answers["rows"]) > len(known)) is (release in WITH_SQUASHED)
    assert list(not_in_release(answers["rows"], known)) == []


@pytest.mark.parametrize("release", RECORDED)
def test_every_table_is_found_and_every_statement_can_be_written(release: str) -> None:
    found = schema(release)
    lacking = {ours for ours in TABLES if ours not in found.names}
    assert lacking == OF_THE_NODE | LACKING[release]
    for topic in TOPICS:
        for one in blocks(topic):
            if found.meets(one.needs):
                compose(f"{topic}.{one.name}", found)


@pytest.mark.parametrize(
    ("release", "column"),
    [
        ("v25_20", "the_qgis_file_name"),
        ("v26_04", "the_qgis_file_name"),
        ("v26_21", "the_qgis_file_id"),
        ("v26_25", "the_qgis_file_id"),
    ],
)
def test_the_project_file_is_where_the_release_has_it(release: str, column: str) -> None:
    assert column in compose("projects.newest", schema(release)).as_string()
