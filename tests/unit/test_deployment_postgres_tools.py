"""Commands of PostgreSQL's client for a deployment's database, and the listing of a dump."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from qfc.drivers.deployment.postgres_tools import here, inside, names_of_rows
from qfc.drivers.routes.database import DatabaseAccess

LISTING = """;
; Archive created at 2026-05-04 12:00:00 UTC
;     dbname: qfieldcloud
;     Dumped from database version: 13.4 TABLE DATA public nothing x
;
215; 1259 16421 TABLE public core_job qfieldcloud
3920; 0 16421 TABLE DATA public core_job qfieldcloud
3921; 0 16500 TABLE DATA audit log_entry qfieldcloud
3922; 0 0 SEQUENCE SET public core_user_id_seq qfieldcloud
"""


def test_tables_that_have_their_rows_in_a_dump() -> None:
    assert names_of_rows(LISTING) == ["public.core_job", "audit.log_entry"]


@pytest.mark.parametrize("listing", ["", ";\n", "no listing\n", "1; 0 1 TABLE DATA public\n"])
def test_a_listing_without_rows_has_none(listing: str) -> None:
    assert names_of_rows(listing) == []


def test_in_the_databases_container_its_own_account_is_used() -> None:
    argv = inside("a1").argv("pg_dump", "--format", "custom")
    assert argv[:5] == ["docker", "exec", "--interactive", "a1", "sh"]
    assert argv[-3:] == ["pg_dump", "--format", "custom"]
    assert inside("a1").is_inside


def test_here_programs_of_the_python_package_come_before_those_of_the_path() -> None:
    access = DatabaseAccess(user="owner", password="hunter2", database="field", host="10.0.0.9", port=5433)
    tools = here(access, {"host": "10.0.0.9", "port": 5433})
    assert tools.argv("psql", "-c", "select 1") == ["psql", "-c", "select 1"]
    assert (tools.environment["PGHOST"], tools.environment["PGPORT"]) == ("10.0.0.9", "5433")
    first, *others = tools.environment["PATH"].split(os.pathsep)
    assert (Path(first) / "pg_restore").exists()
    assert others == os.environ["PATH"].split(os.pathsep)
    assert not tools.is_inside
    assert "hunter2" not in repr(tools)
