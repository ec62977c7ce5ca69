"""Hostile projects: nothing from outside a job's folder comes out of a job, whichever layer of defence is off."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from hostile_corpus import projects, rasters, vectors
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
    found, spoken = [], ""
    with Canaries(folder / "outside") as canaries:
        for action in case.actions:
            files, out = folder / f"files-{action}", folder / f"out-{action}"
            files.mkdir()
            out.mkdir()
            case.make(Place(files, canaries))
            before = os.environ.copy()
            processes[without].run(Attempt(action, files, "survey.qgs", out, case.deltas))
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
    assert str(tmp_path / "files") not in spoken and str(tmp_path / "out-") not in spoken
    assert "Traceback" not in spoken


@pytest.mark.parametrize(
    ("case", "off"),
    [(case, layer) for case in CASES for layer in case.held_by if layer in LAYERS and len(case.held_by) > 1],
    ids=lambda value: value.name if isinstance(value, Case) else value,
)
def test_one_layer_is_off(case: Case, off: str, tmp_path: Path, processes: dict[tuple[str, ...], Processes]) -> None:
    assert attack(case, tmp_path, processes, (off,))[0] == []


@pytest.mark.parametrize(
    "case",
    [case for case in CASES if case.held_by and set(case.held_by) <= set(LAYERS) and case.is_real],
    ids=lambda case: case.name,
)
def test_the_attack_is_real(case: Case, tmp_path: Path, processes: dict[tuple[str, ...], Processes]) -> None:
    """Without the layers that hold it, the attack succeeds: so the others above prove something."""
    assert attack(case, tmp_path, processes, tuple(sorted(case.held_by)))[0] != []
