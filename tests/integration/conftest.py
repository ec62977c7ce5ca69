"""Stacks whose rows are in a real database, and everything else in memory."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from checks_world import healthy, on_rows, settle
from node import node_environment
from qfc.drivers.postgres_server import Endpoint, connect
from qfc.errors import CommandError
from queue_world import DatabaseWorld
from shared_database import SharedDatabases
from twins import MemoryPorts

Application = Callable[[str, Sequence[str], bytes], str]


@pytest.fixture
def world(shared_databases: SharedDatabases) -> DatabaseWorld:
    """The node's tables in a healthy state. Tests that change tables use `own_world`."""
    made = shared_databases.world()
    settle(made)
    return made


@pytest.fixture
def ports(world: DatabaseWorld) -> MemoryPorts:
    """A stack with these rows."""
    return on_rows(healthy()[0], world)


@pytest.fixture
def manage(shared_databases: SharedDatabases, node_folder: Path) -> Application:
    """The application's own commands, on the rows of `world`."""
    return application(shared_databases.endpoint(), node_folder)


@pytest.fixture
def official_world(shared_databases: SharedDatabases) -> DatabaseWorld:
    """The tables of an official release of late 2025, in a healthy state."""
    made = shared_databases.world("2025_11")
    settle(made)
    return made


@pytest.fixture
def official_ports(official_world: DatabaseWorld) -> MemoryPorts:
    """A deployment with these rows."""
    return on_rows(healthy("compose")[0], official_world)


@pytest.fixture
def own_world(database: Endpoint) -> Iterator[DatabaseWorld]:
    """The node's tables in this test's own database, in a healthy state."""
    made = DatabaseWorld(lambda: connect(database))
    settle(made)
    yield made
    made.close()


@pytest.fixture
def own_ports(own_world: DatabaseWorld, database: Endpoint, node_folder: Path) -> MemoryPorts:
    """A stack with these rows and the application's own commands."""
    made = on_rows(healthy()[0], own_world)
    made.runtime.execute_with = application(database, node_folder)
    return made


def application(database: Endpoint, folder: Path) -> Application:
    """Return a function that runs the node's commands on a database."""
    environment = node_environment(database, folder)

    def manage(service: str, argv: Sequence[str], stdin: bytes) -> str:
        command = [sys.executable, "-m", "qfc_node", *argv]
        done = subprocess.run(command, env=environment, input=stdin, capture_output=True, timeout=120, check=False)
        if done.returncode:
            raise CommandError(f"{service}: {argv[0]}: {done.stderr.decode()[-300:]}")
        return done.stdout.decode()

    return manage
