"""The worlds in which a port's contract is tested: one database a kind, emptied before each test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from qfc.drivers.postgres_server import Endpoint, connect
from queue_world import OFFICIAL, DatabaseWorld, MemoryWorld, World, official_schema

#: The twin, our node, and official servers of four releases.
KINDS = ("memory", "node", *OFFICIAL)
Databases = Callable[[str], Endpoint]


@pytest.fixture(scope="session")
def contract_databases(request: pytest.FixtureRequest, postgres_server: Endpoint) -> Databases:
    """Make the database of a kind when it is first asked for; the server ends with the run."""
    made: dict[str, Endpoint] = {}

    def database(kind: str) -> Endpoint:
        if kind not in made:
            endpoint = replace(postgres_server, database=f"contract_{kind}")
            template = request.getfixturevalue("template_database").database if kind == "node" else "template0"
            run(postgres_server, f"create database {endpoint.database} template {template}")
            if kind != "node":
                run(endpoint, official_schema(kind))
            made[kind] = endpoint
        return made[kind]

    return database


@pytest.fixture(params=KINDS)
def world(request: pytest.FixtureRequest, contract_databases: Databases) -> Iterator[World]:
    """A queue to fill and look at."""
    if request.param == "memory":
        yield MemoryWorld()
        return
    endpoint = contract_databases(request.param)
    run(endpoint, "truncate core_user cascade")
    if request.param == "node":
        # The one table with rows of people that does not name them by their ids.
        run(endpoint, "truncate axes_accessattempt cascade")
    made = DatabaseWorld(lambda: connect(endpoint))
    yield made
    made.close()


def run(endpoint: Endpoint, statements: str) -> None:
    """Run statements in a database."""
    with connect(endpoint, autocommit=True) as connection:
        connection.execute(statements.encode())
