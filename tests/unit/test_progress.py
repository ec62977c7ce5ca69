"""How far long work has come: a bar on a terminal, one line per phase elsewhere, nothing with --quiet."""

from __future__ import annotations

import io

import pytest

from checks_world import healthy
from qfc.checks import EVERYTHING
from qfc.cli.progress import ProgressLine
from qfc.operations.guard import Options
from qfc.operations.sync_diagnose import diagnose
from qfc.operations.up import up
from qfc.stack.progress import counted


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def shown(err: io.StringIO, *, quiet: bool = False) -> str:
    line = ProgressLine(err, quiet=quiet, stack="field")
    line.step("Start it; see qfc status")
    for what in ("Starting the database", "Migrating"):
        list(counted("abc", what, line))
    return err.getvalue()


def test_elsewhere_each_phase_is_one_line() -> None:
    lines = ["… Start it; see qfc --stack field status", "… Starting the database", "… Migrating"]
    assert shown(io.StringIO()).splitlines() == lines


def test_a_terminal_gets_a_bar_that_leaves_nothing_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "60")
    text = shown(Terminal())
    assert "████████░░░░░░░░░░░░░░░░ 1/3  Starting the database" in text
    assert text.endswith("\r\033[K")
    assert max(map(len, text.replace("\r\033[K", "\n").splitlines())) < 60


def test_quiet_is_quiet() -> None:
    assert shown(io.StringIO(), quiet=True) == ""


def test_a_start_and_a_diagnosis_tell_how_far_they_are() -> None:
    seen: list[tuple[str, int, int]] = []
    ports, _ = healthy()
    options = Options(progress=lambda *one: seen.append(one))
    up(ports, options)
    assert seen[-1] == ("Starting services", 3, 3)
    diagnose(ports, EVERYTHING, options, proof=False)
    what, done, total = seen[-1]
    assert (what, done) == ("Examining", total)
    assert total > 50
