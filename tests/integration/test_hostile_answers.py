"""A job's process that took over its own box lies to the worker: it decides nothing that is not its project's."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from qfc.drivers.postgres_server import Endpoint

GOOD: dict[str, Any] = {
    "kind": "done",
    **dict.fromkeys(("error", "error_type", "error_class", "error_stack"), ""),
    "steps": [{"id": "a", "name": "A", "stage": 2, "returns": {}}],
    "files": [{"name": "data.gpkg", "path": "export/data.gpkg"}],
    "details": None,
    "outcomes": [{"delta_id": "mine", "status": "applied", "feedback": {}, "modified_pk": 7}],
}


class Ended:
    """A process that ended well."""

    seconds = 1.0
    exit_code = 0


def read(folder: Path, content: str) -> Any:
    from qfc_node.worker.answers import read_answer

    (folder / "answer.json").write_text(content)
    process: Any = Ended()
    return read_answer(process, folder, {"mine"})


def test_an_honest_answer_is_read(node_database: Endpoint, tmp_path: Path) -> None:
    answer = read(tmp_path, json.dumps(GOOD))
    assert (answer.kind, answer.files[0].path, answer.outcomes[0]["modified_pk"]) == ("done", "export/data.gpkg", "7")


@pytest.mark.parametrize(
    "lie",
    [
        {"kind": "finished"},
        {"files": [{"name": "../../secrets/SECRET_KEY", "path": "export/data.gpkg"}]},
        {"files": [{"name": "/etc/hostname", "path": "export/data.gpkg"}]},
        {"files": 7},
        {"outcomes": [{"delta_id": "mine", "status": "owned", "feedback": {}, "modified_pk": None}]},
        {"outcomes": [{"delta_id": [], "status": "applied"}]},
        {"details": [1]},
        {"steps": [["a"]]},
        {"steps": None},
    ],
)
def test_a_lie_ends_the_job_and_not_the_worker(node_database: Endpoint, tmp_path: Path, lie: dict[str, Any]) -> None:
    assert read(tmp_path, json.dumps({**GOOD, **lie})).error_type == "CRASH"


@pytest.mark.parametrize(
    "content", ["", "[]", "7", "[" * 100_000, '{"kind": "done"}', "\ud800".encode("utf-8", "replace").decode()]
)
def test_an_answer_that_is_none(node_database: Endpoint, tmp_path: Path, content: str) -> None:
    assert read(tmp_path, content).error_type == "CRASH"


def test_nobody_answers_for_the_edits_of_others(node_database: Endpoint, tmp_path: Path) -> None:
    theirs = {**GOOD["outcomes"][0], "delta_id": "theirs", "status": "error"}
    answer = read(tmp_path, json.dumps({**GOOD, "outcomes": [theirs, *GOOD["outcomes"]]}))
    assert [outcome["delta_id"] for outcome in answer.outcomes] == ["mine"]
