"""Small uploads that would cost much: each job ends within bounds, with an answer, and tells nothing of the server."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from hostile_corpus import project_bombs, raster_bombs, vector_bombs
from hostile_corpus.canaries import Canaries
from hostile_corpus.case import Case, Place
from hostile_corpus.processes import Attempt, PlainProcesses, Processes, findings, said

CASES = [*raster_bombs.CASES, *vector_bombs.CASES, *project_bombs.CASES]
#: Of one job. The inputs have at most 15 MB, but for those that only travel.
CPU_S, PEAK_BYTES = 20, 300_000_000


@pytest.fixture(scope="module")
def processes() -> Iterator[Processes]:
    with PlainProcesses() as running:
        yield running


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_bomb_costs_little(case: Case, tmp_path: Path, processes: Processes) -> None:
    spoken = ""
    with Canaries(tmp_path / "outside") as canaries:
        for action in case.actions:
            files, out = tmp_path / action / "files", tmp_path / f"out-{action}"
            files.mkdir(parents=True)
            out.mkdir()
            case.make(Place(files, canaries))
            processes.run(Attempt(action, files, "survey.qgs", out, case.deltas))
            status = json.loads((out / "status.json").read_text())
            spoken += said(out)
            assert (action, status["exit"]) == (action, 0)
            assert status["cpu_s"] < CPU_S and status["peak_bytes"] < PEAK_BYTES, (action, status)
            assert findings(out) == []
    assert (canaries.connections, canaries.changed()) == ([], [])
    assert case.reason in spoken
    assert "Traceback" not in spoken and str(tmp_path) not in spoken
