"""The host where a stack's commands run, from its configuration."""

from __future__ import annotations

from pathlib import Path

from qfc import wiring
from qfc.config import load
from qfc.config.tables import BackupConfig
from qfc.drivers.hosts.local import LocalHost
from qfc.drivers.hosts.ssh import SshHost
from qfc.stack.ports import Machine
from qfc.wiring.backups import scratch_stack
from qfc.wiring.embedded import EmbeddedPorts


def machine(environment: dict[str, str]) -> Machine:
    text = '[stacks.server]\nkind = "compose"\nssh_port = 2222\n'
    return wiring.machine(load(environment, text=text).stack(), environment)


def test_without_a_host_commands_run_here() -> None:
    assert isinstance(machine({}), LocalHost)


def test_a_host_is_reached_over_ssh() -> None:
    host = machine({"QFIELDCLOUD_VPS_HOST": "gis.example", "QFIELDCLOUD_VPS_USER": "ops"})
    assert isinstance(host, SshHost)
    assert host.name == "ops@gis.example:2222"
    host.close()


def test_a_scratch_stack_takes_any_port_and_is_remembered_nowhere(tmp_path: Path) -> None:
    stack = load({"QFC_HOME": str(tmp_path)}, text="[stacks.one]\nport = 8011\n").stack()
    with scratch_stack(EmbeddedPorts(stack, BackupConfig())) as scratch:
        assert isinstance(scratch, EmbeddedPorts)
        assert scratch.stack.port == 0
        assert scratch.stack.notes.is_relative_to(scratch.folder)
