"""Copies of `.env`: one before each change, numbered, never overwritten."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

import pytest

from qfc.drivers.docker.engine import Engine
from qfc.drivers.hosts.local import LocalHost
from qfc.drivers.runtimes.compose.env import Env
from qfc.stack.env_file import EnvFile


@pytest.fixture
def env(tmp_path: Path) -> Env:
    """The `.env` of a folder."""
    return Env(Engine(LocalHost()), PurePosixPath(tmp_path))


def copies(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in sorted(folder.glob(".env.before*"))}


def test_every_state_is_kept(env: Env, tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("A=1\n")
    (tmp_path / ".env.before").write_text("of an earlier release of qfc\n")
    env.change({"A": "2"})
    env.change({"A": "3"})
    env.write(EnvFile("A=1\n"))
    assert (tmp_path / ".env").read_text() == "A=1\n"
    assert copies(tmp_path) == {
        ".env.before": "of an earlier release of qfc\n",
        ".env.before.1": "A=1\n",
        ".env.before.2": "A=2\n",
        ".env.before.3": "A=3\n",
    }
    assert all(path.stat().st_mode & 0o077 == 0 for path in tmp_path.glob(".env.before.*"))


def test_a_change_that_changes_nothing_makes_no_copy(env: Env, tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("A=1\n")
    env.change({"A": "1"})
    assert copies(tmp_path) == {}


def test_a_new_file_has_no_copy(env: Env, tmp_path: Path) -> None:
    env.change({"A": "1"})
    assert ((tmp_path / ".env").read_text(), copies(tmp_path)) == ("A=1\n", {})
