"""The demo's scenario against a real node: API server, two workers, one of them killed."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator, Sequence

import pytest

from node import Node
from qfc.demo.results import RunningWorker, ScenarioResult, Step
from qfc.demo.scenario import run_scenario
from qfc.demo.summary import as_dict, summary_table
from qfc.drivers.postgres_server import connect

WORKERS = """
    SELECT worker.id::text, worker.pid, job.id::text
    FROM node_worker worker
    LEFT JOIN core_job job ON job.container_id = worker.id::text AND job.status IN ('queued', 'started')
"""


class NodeOperator:
    """The operator of the tests' node: users by its command, workers from its tables."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._connection = connect(node.endpoint, autocommit=True)
        self.killed: list[int] = []

    def create_user(self, username: str, password: str, superuser: bool = False) -> None:
        self._node.create_user(username, password, superuser=superuser)

    def workers(self) -> Sequence[RunningWorker]:
        return [RunningWorker(str(row[0]), int(row[1]), row[2]) for row in self._connection.execute(WORKERS)]

    def kill_worker(self, pid: int) -> None:
        os.kill(pid, signal.SIGKILL)
        self.killed.append(pid)

    def status(self) -> str:
        return "ok"

    def close(self) -> None:
        self._connection.close()


@pytest.fixture
def operator(node: Node) -> Iterator[NodeOperator]:
    operator = NodeOperator(node)
    yield operator
    operator.close()


@pytest.mark.slow
def test_every_edit_arrives_once_though_a_worker_is_killed(node: Node, operator: NodeOperator) -> None:
    for _ in range(3):
        node.start_worker()
    steps: list[Step] = []

    result = run_scenario(node.url, operator, steps.append)

    assert result.ok, "\n".join(map(str, steps)) + "\n" + node.log[-3000:]
    assert tuple(steps) == result.steps
    assert result.kill is not None
    assert result.kill.pid == operator.killed[-1]
    assert len(operator.killed) == 1 + result.kill.misses
    assert result.kill.successor_pid != result.kill.pid
    assert result.deltas["conflict"] == 1
    assert set(result.deltas) == {"applied", "conflict"}
    assert as_dict(result)["ok"] is True
    assert summary_table(result).row_count == len(steps)


def test_a_server_that_is_not_there_fails_the_first_step_that_needs_it(node: Node, operator: NodeOperator) -> None:
    node.kill_app()

    result: ScenarioResult = run_scenario(node.url, operator, lambda _: None)

    assert not result.ok
    assert [step.ok for step in result.steps] == [True, False]
    assert "log in" in result.steps[-1].name
