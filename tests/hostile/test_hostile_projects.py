"""Hostile projects: nothing from outside a job's folder comes out of a job, whichever layer of defence is off."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from hostile_corpus import projects, rasters, vectors
from hostile_corpus.boxed import BoxedProcesses
from hostile_corpus.canaries import Canaries
from hostile_corpus.case import Case, Place
from hostile_corpus.processes import Attempt, PlainProcesses, Processes, findings, said
from qfc_node.gis.defence import Layer

CASES = [*projects.CASES, *rasters.CASES, *vectors.CASES]
LAYERS = [layer.value for layer in Layer]


@pytest.fixture(scope="module")
def processes() -> Iterator[dict[tuple[str, ...], Processes]]:
    """Processes by the layers that are off."""
    running: dict[tuple[str, ...], Processes] = {}
    yield running
    for each in running.values():
        each.close()


def attack(
    case: Case, folder: Path, processes: dict[tuple[str, ...], Processes], without: tuple[str, ...]
) -> tuple[list[str], str]:
    """Try every job on a hostile project; return what it found out, and all that the jobs said."""
    if without not in processes:
        processes[without] = PlainProcesses(without)
    return attack_in(case, folder, processes[without])


def attack_in(case: Case, folder: Path, running: Processes) -> tuple[list[str], str]:
    """Try every job on a hostile project in these processes."""
    found, spoken = [], ""
    with Canaries(folder / "outside") as canaries:
        for action in case.actions:
            files, out = folder / action / "files", folder / f"out-{action}"
            files.mkdir(parents=True)
            out.mkdir()
            case.make(Place(files, canaries))
            before = os.environ.copy()
            running.run(Attempt(action, files, "survey.qgs", out, case.deltas))
            assert os.environ == before
            assert (out / "said.json").exists(), (action, (out / "status.json").read_text())
            found += [f"{action}: {what}" for what in findings(out)]
            spoken += said(out)
        found += [f"connection to {address}" for address in canaries.connections]
        found += [f"changed: {name}" for name in canaries.changed()]
    return found, spoken


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_nothing_comes_out(case: Case, tmp_path: Path, processes: dict[tuple[str, ...], Processes]) -> None:
    found, spoken = attack(case, tmp_path, processes, ())
    assert found == []
    assert not any(str(tmp_path / action) in spoken for action in case.actions) and str(tmp_path / "out-") not in spoken
    assert "Traceback" not in spoken


@pytest.mark.parametrize(
    ("case", "off"),
    [(case, layer) for case in CASES for layer in case.held_by if layer in LAYERS and len(case.held_by) > 1],
    ids=lambda value: value.name if isinstance(value, Case) else value,
)
def test_one_layer_is_off(case: Case, off: str, tmp_path: Path, processes: dict[tuple[str, ...], Processes]) -> None:
    assert attack(case, tmp_path, processes, (off,))[0] == []


@pytest.fixture(scope="module")
def boxes(short_folder: Path) -> Iterator[dict[tuple[str, ...], BoxedProcesses]]:
    """Fork servers of the node by the layers of the engine that are off."""
    running: dict[tuple[str, ...], BoxedProcesses] = {}
    yield running
    for each in running.values():
        each.close()


@pytest.mark.parametrize(
    "case",
    # A job with databases elsewhere has a network on purpose: there the addresses alone decide.
    [case for case in CASES if len(case.held_by) == 1 and set(case.held_by) < set(LAYERS) - {"addresses"}],
    ids=lambda case: case.name,
)
def test_the_box_holds_what_one_layer_holds(
    case: Case, short_folder: Path, boxes: dict[tuple[str, ...], BoxedProcesses]
) -> None:
    off, home = tuple(case.held_by), short_folder / "hostile"
    home.mkdir(exist_ok=True)
    if off not in boxes:
        boxes[off] = BoxedProcesses(home, off)
    folder = home / uuid4().hex[:8]
    folder.mkdir()
    found, spoken = attack_in(case, folder, boxes[off])
    assert found == []
    assert '"kind": ' in spoken
    assert '"kind": "crash"' not in spoken or '"error_class": "PermissionError"' in spoken


def test_the_box_is_what_held(short_folder: Path) -> None:
    """The same engine in a box without layers tells: so the test above proves something."""
    case = next(case for case in CASES if case.name == "overview in the tag: a foreign TIFF")
    home = short_folder / "hostile-open"
    home.mkdir()
    running = BoxedProcesses(home, case.held_by, open_box=True)
    try:
        assert attack_in(case, home, running)[0] != []
    finally:
        running.close()


@pytest.mark.parametrize(
    "case",
    [case for case in CASES if case.held_by and set(case.held_by) <= set(LAYERS) and case.is_real],
    ids=lambda case: case.name,
)
def test_the_attack_is_real(case: Case, tmp_path: Path, processes: dict[tuple[str, ...], Processes]) -> None:
    """Without the layers that hold it, the attack succeeds: so the others above prove something."""
    assert attack(case, tmp_path, processes, tuple(sorted(case.held_by)))[0] != []
