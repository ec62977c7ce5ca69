"""What the suite says about the box of jobs."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from qfc.stack.box import of_box
from qfc.stack.model import BoxLayer, Verdict, Worker
from qfc_node.box import account

LANDLOCK, LIMITS = BoxLayer("landlock", "used", "version 7"), BoxLayer("limits", "used")
NO_NETWORK = BoxLayer("network", "missing", "Operation not permitted")


def test_layers_are_named_those_in_use_first() -> None:
    found = of_box([Worker("w1", "idle", layers=(NO_NETWORK, LANDLOCK, LIMITS)), Worker("w2", "busy")])
    assert found is not None
    assert (found.verdict, found.evidence) == (
        Verdict.OK,
        "landlock, limits; network missing (Operation not permitted)",
    )


def test_the_page_names_the_accounts_of_jobs_for_a_firewall(monkeypatch: pytest.MonkeyPatch) -> None:
    page = (Path(__file__).parents[2] / "docs/security.md").read_text()
    numbers: list[int] = []
    for process in (0, 2**22 - 1):
        monkeypatch.setattr("os.getpid", lambda process=process: process)
        monkeypatch.setattr("os.geteuid", lambda: 0)
        monkeypatch.setattr(account, "_rights", lambda: 0xFF)
        monkeypatch.setattr(account, "_exists", lambda *_: True)
        numbers.append(account.free_account())
    assert f"--uid-owner {numbers[0]}-{numbers[1]} " in page
    assert f"from\n{numbers[0]} to {numbers[1]}" in page


def test_workers_that_differ_are_told_apart_and_the_worst_counts() -> None:
    workers = [Worker("w1", "idle", layers=(LANDLOCK, LIMITS)), Worker("w2", "idle", layers=(LIMITS,))]
    found = of_box(workers)
    assert found is not None
    assert (found.verdict, found.evidence) == (
        Verdict.DEGRADED,
        "Jobs may do whatever their worker may. Layers: landlock, limits; or: limits",
    )


def test_a_job_that_may_read_the_files_of_its_worker_is_not_held() -> None:
    seccomp = BoxLayer("seccomp", "used")
    found = of_box([Worker("w1", "idle", layers=(seccomp, LIMITS, replace(LANDLOCK, state="missing")))])
    assert found is not None
    assert (found.verdict, found.evidence.partition(".")[0]) == (
        Verdict.DEGRADED,
        "Jobs may read every file that their worker may",
    )
    for layer in ("account", "mounts", "landlock"):
        held = of_box([Worker("w1", "idle", layers=(seccomp, BoxLayer(layer, "used")))])
        assert held is not None
        assert held.is_well


def test_nothing_is_said_of_workers_that_report_nothing_or_are_dead() -> None:
    assert of_box([Worker("w1", "idle"), Worker("w2", "dead", layers=(LIMITS,))]) is None
