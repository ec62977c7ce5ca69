"""Which migrations of a database a release does not know."""

from __future__ import annotations

from typing import Any

import pytest

from qfc.stack.migrations import not_applied, not_in_release, planned
from recorded import recorded

CRON = "django_cron.0001_squashed_0004_alter_cronjoblog_options_and_more"


@pytest.fixture
def of_2026() -> dict[str, Any]:
    """The migrations of a running v26.24."""
    return recorded("2026_08")["migrations"]


def test_a_release_knows_what_its_squashed_migration_replaces(of_2026: dict[str, Any]) -> None:
    known, missing = planned("\n".join(of_2026["printed"]))
    assert CRON in known
    assert missing == ()
    assert set(of_2026["rows"]) > set(known)
    assert not_in_release(of_2026["rows"], known) == ()


@pytest.mark.parametrize("newer", ["core.0110_auto", "django_cron.0005_more", "django_cron.later"])
def test_a_newer_migration_is_not_replaced(of_2026: dict[str, Any], newer: str) -> None:
    known, _ = planned("\n".join(of_2026["printed"]))
    assert not_in_release([*of_2026["rows"], newer], known) == (newer,)


def test_a_squashed_migration_replaces_none_of_other_apps() -> None:
    assert not_in_release(["core.0003_c"], ["core.0001_a", CRON]) == ("core.0003_c",)


def test_migrations_of_apps_that_the_release_no_longer_has_do_not_count() -> None:
    assert not_in_release(["geodb.0001_initial"], ["core.0001_a"]) == ()


def test_a_database_without_the_row_of_a_squashed_migration_has_its_tables(of_2026: dict[str, Any]) -> None:
    known, _ = planned("\n".join(of_2026["printed"]))
    rows = of_2026["rows"]
    assert not_applied(rows, known) == ()
    assert not_applied([name for name in rows if name != CRON], known) == ()
    assert not_applied([name for name in rows if not name.startswith("django_cron")], known) == (CRON,)
    assert not_applied(rows, [*known, "core.0110_auto"]) == ("core.0110_auto",)
