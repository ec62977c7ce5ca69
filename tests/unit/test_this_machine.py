"""What starts things on this machine: the monitor's line of cron, and the process that it left."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from qfc.drivers.backups.keys import KEYS, FileBackupKeys
from qfc.drivers.crontab import SystemCrontab, UserCrontab
from qfc.drivers.systemd import Systemd
from qfc.drivers.this_machine import LocalMachine
from qfc.errors import ConfigError
from qfc.operations.guard import Options
from qfc.operations.monitor.install import install_monitor_line, remove_monitor_line
from qfc.stack.monitor_unit import PID, MonitorPlan, is_about, monitor_line, monitor_unit, watched
from requirements import require
from twins.here import MemoryCrontab

WAITS = "import sys, time; print('began', flush=True); time.sleep(60)"


def plan(home: Path, *stacks: str) -> MonitorPlan:
    environment = {"QFC_CONFIG": f"{home}/my 50% config.toml", "QFC_HOME": str(home)}
    return MonitorPlan((sys.executable, "-c", WAITS), stacks, environment=environment)


def wait_for(path: Path) -> int:
    for _ in range(200):
        if path.exists() and path.read_text().strip():
            return int(path.read_text())
        time.sleep(0.05)
    raise AssertionError(f"{path} did not appear")


@pytest.fixture
def home(tmp_path: Path) -> Path:
    folder = tmp_path / "a home"
    folder.mkdir()
    return folder


def test_cron_keeps_one_monitor_running_and_it_can_be_ended(home: Path) -> None:
    require("flock", shutil.which("flock") is not None, "the program flock")
    crontab, here = MemoryCrontab(""), LocalMachine()
    install_monitor_line(crontab, plan(home, "field"), Options())
    line = crontab.block("qfc-monitor") or ""
    assert line.startswith("* * * * * QFC_CONFIG=")
    command = line.removeprefix("* * * * * ").replace("\\%", "%")
    first = subprocess.Popen(["/bin/sh", "-c", command])
    pid = wait_for(home / PID)
    assert f"QFC_CONFIG={home}/my 50% config.toml".encode() in Path(f"/proc/{pid}/environ").read_bytes()
    assert subprocess.run(["/bin/sh", "-c", command], check=False, timeout=20).returncode == 1, "it runs already"
    remove_monitor_line(crontab, here, plan(home, "field"), Options())
    assert first.wait(20) != 0
    assert crontab.block("qfc-monitor") is None
    assert not list(home.iterdir())


def test_a_number_that_is_another_process_by_now_is_left_alone(tmp_path: Path) -> None:
    noted = tmp_path / "pid"
    noted.write_text(f"{os.getpid()}\n")
    here = LocalMachine()
    assert not here.end(noted, "monitor")
    noted.write_text("many")
    assert not here.end(noted, "monitor")
    assert not here.end(tmp_path / "none", "monitor")


def test_what_is_watched_is_read_from_the_unit_and_the_line(home: Path) -> None:
    for stacks in ((), ("field",), ("field", "my.other-1")):
        made = plan(home, *stacks)
        for text in (monitor_unit(made), monitor_line(made), monitor_line(made, "ops")):
            assert watched(text) == stacks
            assert is_about(text, made)
            assert not is_about(text, plan(home / "other", *stacks))
    assert watched("[Unit]") is None


def test_a_table_that_nobody_reads_is_not_usable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert not SystemCrontab("root", tmp_path).usable()
    assert not UserCrontab().usable()
    for name in ("cron", "crontab"):
        (tmp_path / name).touch(0o755)
    assert SystemCrontab("root", tmp_path).usable()
    assert not SystemCrontab("root", tmp_path / "none").usable()
    assert UserCrontab().usable()


def test_systemd_that_does_not_answer_is_not_usable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "systemctl"
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    program.write_text("#!/bin/sh\necho Failed to connect to bus >&2; exit 1\n")
    program.chmod(0o755)
    units = Systemd(system=False, folder=tmp_path, booted=tmp_path)
    assert not units.usable()
    program.write_text("#!/bin/sh\necho Version=252\n")
    assert units.usable()
    assert not Systemd(system=False, folder=tmp_path, booted=tmp_path / "none").usable()
    assert units.text("none.service") is None


def test_a_unit_that_is_disabled_does_not_start_by_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "systemctl"
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    program.write_text(
        '#!/bin/sh\n[ "$2" = show ] && echo Version=252 && exit\nshift 2\n'
        "for one; do case $one in off*) echo disabled;; *) echo enabled;; esac; done; exit 1\n"
    )
    program.chmod(0o755)
    units = Systemd(system=False, folder=tmp_path, booted=tmp_path)
    assert units.enabled("a.timer", "b.timer")
    assert not units.enabled("a.timer", "off.timer")
    assert Systemd(system=False, folder=tmp_path, booted=tmp_path / "none").enabled("off.timer"), "nobody can ask"


def test_stacks_with_a_key_and_tables_are_read_from_a_configuration(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("QFC_HOME", str(tmp_path))
    config, here = tmp_path / "config.toml", LocalMachine()
    assert (here.table(config, "backup"), here.with_key(config)) == ({}, ())
    config.write_text('[backup]\nfolder = "/mnt"\n[stacks.one]\n[stacks.two]\n')
    FileBackupKeys(tmp_path / "two" / KEYS).create()
    assert here.table(config, "backup") == {"folder": "/mnt"}
    assert here.with_key(config) == ("two",)
    config.write_text("a = = 1")
    with pytest.raises(ConfigError, match="not valid TOML"):
        here.table(config, "backup")
