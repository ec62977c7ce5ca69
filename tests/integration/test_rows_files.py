"""Faults in the rows of projects' files: found by the checks, and repaired by the application's own commands."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from checks_world import answering, expect, found
from conditions_world import announce, store
from queue_world import DatabaseWorld
from twins import MemoryPorts

Make = Callable[[DatabaseWorld], None]


def file(name: str, *sizes: int, project: str = "files") -> Make:
    """Return a function that stores versions of these sizes in a new project; by default one of 1000 bytes."""
    return lambda world: store(world, world.project(project), name, *(sizes or (1000,)))


def two_project_files(world: DatabaseWorld) -> None:
    project = world.project("files")
    store(world, project, "one.qgs", 400)
    store(world, project, "old/two.qgz", 600)


def attachment_missing(world: DatabaseWorld) -> None:
    project = world.project("photos")
    store(world, project, "survey.qgs", 1000)
    announce(world, world.delta(project, "applied", made=120), **{"DCIM/lost.jpg": "aa"})


FAULTS: dict[str, tuple[Make, str]] = {
    "C10": (file("relief.tif", 997, 3), "1 file: alice/files/relief.tif."),
    "C12": (file("data/aux.csv"), "alice/files/data/aux.csv"),
    "E11": (two_project_files, "alice/files/old/two.qgz, alice/files/one.qgs"),
    "E12-hidden": (file("data/.cache"), "alice/files/data/.cache"),
    "E13": (file("survey.qgs", project="shared_datasets"), "alice/shared_datasets/survey.qgs"),
    "G06": (attachment_missing, "1 file in the last 7 days: alice/photos/DCIM/lost.jpg"),
}


def test_rows_in_which_all_is_well_show_nothing(ports: MemoryPorts) -> None:
    assert found(ports).findings == ()


@pytest.mark.parametrize("id", FAULTS)
def test_a_fault_in_files_is_found(ports: MemoryPorts, world: DatabaseWorld, id: str) -> None:
    make, evidence = FAULTS[id]
    make(world)
    expect(ports, id, evidence)


def test_bytes_are_counted_again(ports: MemoryPorts, world: DatabaseWorld, manage: Callable[..., str]) -> None:
    answering(ports, "calcprojectstorage", manage)
    store(world, world.project("files"), "a.csv", 2_000_000, 3_000_000)
    expect(ports, "C13", "alice/files (0.0 of 5.0 MB)")
