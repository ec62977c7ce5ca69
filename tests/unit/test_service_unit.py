"""The systemd unit of a stack, and the commands that install and remove it."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path, PurePath

import pytest

from checks_world import YES, healthy
from qfc.drivers.systemd import Systemd, active_unit
from qfc.errors import NotConfirmedError, RefusedError
from qfc.operations.guard import Options
from qfc.operations.service import plan_of, service_install, service_status, service_uninstall
from qfc.stack.ports.units import Units
from qfc.stack.unit import UnitPlan, quoted, unit_text

ODD = UnitPlan(
    "local",
    (sys.executable, "-m", "qfc"),
    PurePath("/srv/a b/50%/run/supervisord.pid"),
    "root",
    is_system=True,
    environment={"QFC_HOME": '/srv/a b/50%"$x'},
)


class MemoryUnits(Units):
    """Units in memory; the stack of `active` ones runs."""

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
        del stop
        self.path(name).unlink()
        self.active.discard(name)

    def state(self, name: str) -> str:
        return "active" if name in self.active else "inactive"


def test_a_unit_starts_watches_and_stops_the_stack_of_its_account() -> None:
    lines = unit_text(ODD).splitlines()
    assert f"ExecStart={sys.executable} -m qfc --stack local --wait 120 up" in lines
    assert f"ExecStop={sys.executable} -m qfc --stack local --wait 120 down" in lines
    assert {"Type=forking", "Restart=on-failure", "KillMode=process", "User=root"} <= set(lines)
    assert "TimeoutStartSec=infinity" in lines  # a migration may take long
    assert "PIDFile=/srv/a b/50%%/run/supervisord.pid" in lines


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed")
def test_systemd_accepts_the_unit(tmp_path: Path) -> None:
    unit = tmp_path / "qfc-local.service"
    unit.write_text(unit_text(ODD))
    done = subprocess.run(["systemd-analyze", "verify", str(unit)], capture_output=True, text=True, check=False)
    assert "qfc-local" not in done.stderr
    assert done.returncode == 0


def test_words_are_quoted_as_systemd_reads_them() -> None:
    words = ("a-b", "a b", "50%", '"', "$HOME")
    assert [quoted(one) for one in words] == [
        "a-b",
        '"a b"',
        '"50%%"',
        '"\\""',
        '"$$HOME"',
    ]


def test_a_unit_is_installed_seen_and_removed(tmp_path: Path) -> None:
    ports, _ = healthy()
    ports.runtime.stop(None)
    units = MemoryUnits(tmp_path)
    plan = plan_of(ports, units, ("qfc",), {}, None)
    assert (service_status(ports, units, plan).installed, service_status(ports, units, plan).state) == (False, None)
    planned = service_install(ports, units, plan, Options(dry_run=True))
    assert (planned.installed, planned.text) == (False, unit_text(plan))
    installed = service_install(ports, units, plan, YES)
    assert (installed.installed, installed.state) == (True, "active")
    assert not service_uninstall(ports, units, plan, YES).installed
    with pytest.raises(RefusedError, match="has no unit"):
        service_uninstall(ports, units, plan, YES)


def test_a_running_stack_is_handed_over_after_a_question(tmp_path: Path) -> None:
    ports, _ = healthy()
    units = MemoryUnits(tmp_path)
    plan = plan_of(ports, units, ("qfc",), {}, None)
    with pytest.raises(NotConfirmedError, match="restarted under systemd"):
        service_install(ports, units, plan, Options())
    steps = service_install(ports, units, plan, YES).steps
    assert [step.split()[0] for step in steps] == ["Stop", "Write"]


def test_without_systemd_nothing_is_stopped_and_another_way_is_told(tmp_path: Path) -> None:
    ports, _ = healthy()
    units = Systemd(system=False, folder=tmp_path, booted=tmp_path / "missing")
    plan = plan_of(ports, units, ("qfc",), {}, None)
    with pytest.raises(RefusedError, match="systemd does not run") as caught:
        service_install(ports, units, plan, YES)
    assert "@reboot qfc up" in caught.value.hint
    assert service_status(ports, units, plan).running
    assert list(tmp_path.iterdir()) == []


def test_a_deployment_needs_no_unit(tmp_path: Path) -> None:
    ports, _ = healthy("compose")
    with pytest.raises(RefusedError, match="Docker engine starts it"):
        plan_of(ports, MemoryUnits(tmp_path), ("qfc",), {}, None)


def test_systemctl_is_asked_to_enable_start_and_forget(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "bin/systemctl"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\necho "$@" >>{tmp_path}/asked\n[ "$2" = is-active ] && echo active\nexit 0\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(program.parent), prepend=":")
    units = Systemd(system=False, folder=tmp_path / "units", booted=tmp_path)
    units.install("qfc-a.service", "[Unit]\n")
    assert units.path("qfc-a.service").read_text() == "[Unit]\n"
    assert units.state("qfc-a.service") == "active"
    units.uninstall("qfc-a.service")
    assert not units.path("qfc-a.service").exists()
    asked = (tmp_path / "asked").read_text().splitlines()
    assert asked == [
        "--user daemon-reload",
        "--user enable --now qfc-a.service",
        "--user is-active qfc-a.service",
        "--user disable qfc-a.service",
        "--user daemon-reload",
    ]


@pytest.mark.parametrize(
    ("said", "found"),
    [
        ("LoadState=loaded\nActiveState=active", "qfc-a.service"),
        ("LoadState=loaded\nActiveState=activating", "qfc-a.service"),
        ("LoadState=loaded\nActiveState=inactive", None),
        ("LoadState=not-found\nActiveState=active", None),
    ],
)
def test_a_unit_watches_while_it_is_active_and_has_its_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: str, found: str | None
) -> None:
    """After `qfc service uninstall` the stack runs on, and systemd knows no command of the unit any more."""
    program = tmp_path / "bin/systemctl"
    program.parent.mkdir()
    program.write_text(f"#!/bin/sh\necho '{said}'\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(program.parent), prepend=":")
    assert active_unit("qfc-a.service", booted=tmp_path) == found
    assert active_unit("qfc-a.service", booted=tmp_path / "none") is None
