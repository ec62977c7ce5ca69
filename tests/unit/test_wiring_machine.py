"""The host where a stack's commands run, from its configuration."""

from __future__ import annotations

import threading
from pathlib import Path

from qfc import wiring
from qfc.config import load
from qfc.config.tables import BackupConfig
from qfc.drivers.hosts.local import LocalHost
from qfc.drivers.hosts.ssh import SshHost
from qfc.stack.ports import Machine
from qfc.wiring.backups import scratch_stack
from qfc.wiring.base import Once
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


def test_an_object_that_is_being_made_holds_up_no_other() -> None:
    """As where one thread reads the deployment's folder, and the one that reads the deployment needs the engine."""
    once, other = Once(), threading.Lock()
    begun = threading.Event()

    def made_slowly() -> str:
        begun.set()
        with other:
            return "records"

    with other:
        thread = threading.Thread(target=lambda: once("records", made_slowly), daemon=True)
        thread.start()
        assert begun.wait(5)
        asked = threading.Thread(target=lambda: once("observer", lambda: "observer"), daemon=True)
        asked.start()
        asked.join(5)
        assert not asked.is_alive()
    thread.join(5)
    assert once("records", lambda: "again") == "records"
