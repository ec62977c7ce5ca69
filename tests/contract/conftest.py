"""The worlds in which a port's contract is tested."""

from __future__ import annotations

import pytest

from queue_world import OFFICIAL, DatabaseWorld, MemoryWorld, World
from shared_database import NODE, SharedDatabases

#: Our node, and official servers of five releases.
DATABASES = (NODE, *OFFICIAL)


@pytest.fixture(params=["memory", *DATABASES])
def world(request: pytest.FixtureRequest) -> World:
    """A queue to fill and read: the twin's, or one in a database."""
    if request.param == "memory":
        return MemoryWorld()
    return request.getfixturevalue("shared_databases").world(request.param)


@pytest.fixture(params=DATABASES)
def database_world(request: pytest.FixtureRequest, shared_databases: SharedDatabases) -> DatabaseWorld:
    """A queue in a database."""
    return shared_databases.world(request.param)
