"""A whole synchronisation in QField's own requests, over a network that cuts connections; then a second one.

Written from the contract: what QField sends, what it reads of each answer, and when it gives up.
"""

from __future__ import annotations

import json
import random
import sqlite3
import time
import uuid
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest

from bad_network import bad_network
from client_world import PATIENCE_S, ClientWorld
from node import Node
from phone import Phone

PHOTO = "DCIM/large photo.jpg"
BYTES = random.Random(9).randbytes(9 * 1024**2)


def new_features(deltas: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The edits that create features."""
    found = [each for each in deltas if each["method"] == "create"]
    assert found
    return found


def features(device: Phone) -> int:
    """How many features the device has."""
    with closing(sqlite3.connect(device.folder / "data.gpkg")) as connection:
        tables = [name for (name,) in connection.execute("SELECT table_name FROM gpkg_contents")]
        return sum(connection.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0] for name in tables)


@pytest.fixture
def world(node: Node, node_folder: Any) -> Iterator[ClientWorld]:
    node.start_worker()
    (node_folder / "client").mkdir()
    yield ClientWorld(node, node_folder / "client")


@pytest.mark.slow
def test_a_day_in_the_field_on_a_bad_network(world: ClientWorld) -> None:
    project = world.packaged
    deltas = json.loads(world.deltafile(project).read_text())["deltas"]
    with bad_network(world.node.port) as network:
        phone, second = Phone(network, world.new_folder()), Phone(network, world.new_folder())
        for device in (phone, second):
            device.log_in("alice")
        (listed,) = phone.get("projects/?limit=250&offset=0")
        assert (listed["id"], listed["status"], listed["can_repackage"]) == (project, "ok", True)
        phone.send_photo(project, PHOTO, BYTES)

        # The first synchronisation: the download of the photo is cut twice and goes on where it was cut.
        package = phone.package(project)
        photo = next(file for file in package["files"] if file["name"] == PHOTO)
        assert photo["is_attachment"] is True
        others = {**package, "files": [file for file in package["files"] if file is not photo]}
        phone.fetch(project, others)
        before = network.delivered
        network.cuts = [3_000_000, 3_000_000]
        assert phone.fetch(project, package) == [PHOTO]
        assert network.delivered - before < len(BYTES) + 100_000, "no byte travels twice"

        # The answer to the edits is lost: they are sent again under a new id, and are applied once.
        network.cuts = [0]
        statuses = phone.push(project, deltas)
        assert len(statuses) == len(deltas)
        assert set(statuses) == {"STATUS_APPLIED"}
        assert len(phone.get(f"deltas/{project}/")) == len(deltas)

        # The second synchronisation: only what the edits changed travels.
        package = phone.package(project)
        before = network.delivered
        assert PHOTO not in phone.fetch(project, package)
        assert network.delivered - before < len(BYTES)
        assert phone.fetch(project, phone.get(f"packages/{project}/latest/?skip_metadata=1")) == []

        # Another device gets the same bytes.
        second.fetch(project, package)
        assert second.tags == phone.tags

        # Its own edits, late and each request twice: they are stored and applied once, and both devices get them.
        before_edits = features(second)
        network.delay_s, network.repeats = 0.05, 1000
        edits = [{**edit, "uuid": str(uuid.uuid4()), "clientId": str(uuid.uuid4())} for edit in new_features(deltas)]
        second.send_photo(project, "DCIM/second.jpg", BYTES[:1000])
        assert second.push(project, edits) == ["STATUS_APPLIED"] * len(edits)
        network.delay_s, network.repeats = 0.0, 0
        settled = time.monotonic() + PATIENCE_S
        while network.repeated < 4 and time.monotonic() < settled:
            time.sleep(0.1)
        assert network.repeated >= 4, "the photo, the edits, and questions about them"
        assert len(second.get(f"deltas/{project}/")) == len(deltas) + len(edits)
        package = phone.package(project)
        for device in (phone, second):
            device.fetch(project, package)
            assert features(device) == before_edits + len(edits)
        assert phone.tags == second.tags
