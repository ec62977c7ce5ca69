"""The systemd unit of the monitor, and the commands that install and remove it."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from checks_world import YES
from qfc.cli.monitor import configured, wired
from qfc.cli.session import Session
from qfc.errors import ConfigError, RefusedError
from qfc.monitor.notify import tell_systemd
from qfc.operations.guard import Options
from qfc.operations.monitor.install import monitor_install, monitor_uninstall
from qfc.stack.monitor_unit import NAME, MonitorPlan, monitor_unit
from qfc.stack.ports.units import Units

PLAN = MonitorPlan(
    (sys.executable, "-m", "qfc"), ("one", "two"), "root", is_system=True, environment={"QFC_HOME": '/srv/a b/50%"$x'}
)


class MemoryUnits(Units):
    """Units in memory."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.active = folder, set[str]()

    @property
    def is_system(self) -> bool:
        return False

    def path(self, name: str) -> Path:
        return self.folder / name

    def install(self, name: str, text: str) -> None:
        self.path(name).write_text(text)
        self.active.add(name)

    def uninstall(self, name: str, *, stop: bool = False) -> None:
        self.path(name).unlink()
        if stop:
            self.active.discard(name)

    def state(self, name: str) -> str:
        return "active" if name in self.active else "inactive"


def test_a_stack_that_cannot_be_wired_is_named_and_the_rest_is_watched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "qfc.toml").write_text('[stacks.good]\n[stacks.odd]\nkind = "swarm"\n', encoding="utf-8")
    monkeypatch.setenv("QFC_CONFIG", str(tmp_path / "qfc.toml"))
    monkeypatch.setenv("QFC_HOME", str(tmp_path))
    session = Session()
    try:
        assert [one.name for one in wired(session, ("odd", "good"))] == ["good"]
        assert "odd is not watched: stacks.odd.kind swarm cannot be managed" in caplog.text
        with pytest.raises(ConfigError, match=r"stacks\.odd\.kind"):
            wired(session, ("odd",))
    finally:
        session.close()


def test_a_stack_that_was_removed_does_not_end_the_watch_over_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "qfc.toml").write_text("[stacks.good]\n", encoding="utf-8")
    monkeypatch.setenv("QFC_CONFIG", str(tmp_path / "qfc.toml"))
    monkeypatch.setenv("QFC_HOME", str(tmp_path))
    assert configured(Session(), ("gone", "good")) == ("good",)
    assert "gone is not watched: it is not configured any more" in caplog.text
    assert configured(Session(), ("gone",)) == ("gone",), "which is refused"
    assert configured(Session(), ()) == ()


def test_systemd_watches_the_monitor_and_leaves_alone_what_that_started() -> None:
    lines = monitor_unit(PLAN).splitlines()
    assert f"ExecStart={sys.executable} -m qfc monitor run one two" in lines
    assert {"Type=notify", "Restart=always", "KillMode=process", "User=root", "NoNewPrivileges=yes"} <= set(lines)
    assert any(line.startswith("WatchdogSec=") for line in lines)
    # The box of jobs mounts a /proc of its own, which a masked one forbids.
    masking = (
        "ProtectKernelTunables",
        "ProtectKernelLogs",
        "ProtectControlGroups",
        "ProtectProc",
        "RestrictNamespaces",
    )
    assert not any(line.startswith(masking) for line in lines)


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed")
def test_systemd_accepts_the_unit(tmp_path: Path) -> None:
    unit = tmp_path / NAME
    unit.write_text(monitor_unit(PLAN))
    done = subprocess.run(["systemd-analyze", "verify", "--man=no", str(unit)], capture_output=True, text=True)
    assert NAME not in done.stderr, done.stderr


def test_the_unit_is_written_started_and_removed_with_its_process(tmp_path: Path) -> None:
    units = MemoryUnits(tmp_path)
    planned = monitor_install(units, PLAN, Options(dry_run=True))
    assert planned.dry_run and not planned.installed and planned.text == monitor_unit(PLAN)
    assert monitor_install(units, PLAN, YES).state == "active"
    removed = monitor_uninstall(units, PLAN, YES)
    assert not removed.installed and not units.active
    with pytest.raises(RefusedError, match="There is no unit"):
        monitor_uninstall(units, PLAN, YES)


def test_systemd_hears_that_the_monitor_is_ready(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import socket

    tell_systemd("READY=1")  # nobody started us: nothing happens
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as heard:
        heard.bind(str(tmp_path / "notify"))
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        tell_systemd("READY=1", "STATUS=well")
        assert heard.recv(100) == b"READY=1\nSTATUS=well"
