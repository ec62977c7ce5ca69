"""The workload of a deployment: from a snapshot, without the database if that is enough."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

import pytest

from qfc.drivers.docker.engine import Engine
from qfc.drivers.runtimes.compose.deployment import ComposeConfig
from qfc.drivers.runtimes.compose.observer import Observer
from qfc.drivers.runtimes.compose.plan import ComposePlan, ServicePlan
from qfc.drivers.runtimes.compose.workload import ComposeWorkload
from qfc.errors import UnreachableError
from qfc.stack.model import QueueDepth, Worker
from qfc.stack.ports import DatabaseQueue
from twins import MemoryClock, MemoryHost, MemoryQueue

FOLDER = PurePosixPath("/opt/QFieldCloud")
DEPTH = '@depth {"pending":3, "queued":0,"started":1,"oldest_pending_s":12.5}\n'


def observer(home: Path, depth: str = "") -> Observer:
    """Return the observer of a deployment whose host prints that."""
    host = MemoryHost()
    host.programs["sh"] = lambda *_: (0, f"@time 1777889100\n@containers\n{depth}", "")
    return Observer(ComposeConfig("site", home, FOLDER), Engine(host))  # pyright: ignore[reportArgumentType]


def test_a_plan_is_made_again_once_a_file_has_changed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen, replicas = observer(tmp_path, "@file 1 812 /opt/QFieldCloud/.env\n"), [2]

    def ask(_: Observer) -> ComposePlan:
        return ComposePlan({"worker_wrapper": ServicePlan("worker_wrapper", "", replicas[0], "always", is_built=True)})

    monkeypatch.setattr(Observer, "_ask_for_plan", ask)
    assert seen.plan().workers == 2
    replicas[0] = 1
    seen.snapshot(fresh=True)
    assert seen.plan().workers == 2  # The same files mean the same plan.
    changed = observer(tmp_path, "@file 2 812 /opt/QFieldCloud/.env\n").snapshot()
    monkeypatch.setattr("qfc.drivers.docker.snapshot.parse", lambda _: changed)
    seen.snapshot(fresh=True)
    assert seen.plan().workers == 1


def out_of_reach() -> DatabaseQueue:
    raise UnreachableError("The database does not answer.")


def test_the_depth_that_a_look_tells_needs_no_database(tmp_path: Path) -> None:
    assert ComposeWorkload(observer(tmp_path, DEPTH), out_of_reach).depth() == QueueDepth(3, 0, 1, 12.5)


def test_the_database_is_asked_for_a_depth_that_a_look_does_not_tell(tmp_path: Path) -> None:
    assert ComposeWorkload(observer(tmp_path), lambda: MemoryQueue(MemoryClock())).depth() == QueueDepth(0, 0, 0, 0.0)
    with pytest.raises(UnreachableError):
        ComposeWorkload(observer(tmp_path), out_of_reach).depth()


def test_workers_that_the_database_knows_need_no_look(tmp_path: Path) -> None:
    stored = MemoryQueue(MemoryClock())
    assert ComposeWorkload(observer(tmp_path), lambda: stored).workers() == ()
    stored.worker_rows = [Worker("w1", "idle")]
    assert ComposeWorkload(observer(tmp_path), lambda: stored).workers() == (Worker("w1", "idle"),)
