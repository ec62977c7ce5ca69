"""Turns the configuration into ports: the only place that selects drivers. A port's driver is imported on use."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING

from ..errors import ConfigError
from ..stack.model import Kind
from .base import LOCAL

if TYPE_CHECKING:
    from pathlib import Path

    from ..config import BackupConfig, NotifyConfig, StackConfig
    from ..stack.ports import Machine, Ports, Post, ThisMachine
    from ..stack.ports.crontab import Crontab
    from ..stack.ports.units import Units
    from .base import StackPorts


def wire(stack: StackConfig, backup: BackupConfig | None = None, operation_log: Path | None = None) -> Ports:
    """Return the ports of a stack. Nothing is connected or started. Raises ConfigError for a kind without a driver.

    `backup` says how it is backed up; None: in the usual way. Changes are also noted in the file `operation_log`.
    """
    from ..config import BackupConfig

    ports = _wired(stack, backup or BackupConfig())
    ports.operation_log = operation_log
    return ports


def _wired(stack: StackConfig, backup: BackupConfig) -> StackPorts:
    match stack.kind:
        case Kind.EMBEDDED:
            from .embedded import EmbeddedPorts

            if stack.host != LOCAL:
                raise ConfigError(
                    [f"stacks.{stack.name}.host {stack.host!r}: an embedded stack runs where qfc runs."],
                    hint='Remove the setting or set host = "local".',
                )
            return EmbeddedPorts(stack, backup)
        case Kind.COMPOSE:
            from .compose import ComposePorts

            return ComposePorts(stack, machine(stack, os.environ), backup)
        case Kind.SWARM:
            raise ConfigError(
                [f"stacks.{stack.name}.kind {stack.kind} cannot be managed by this release."],
                hint=f'Set kind = "{Kind.EMBEDDED}" or "{Kind.COMPOSE}".',
            )


def this_machine() -> ThisMachine:
    """Return the machine of this process."""
    from ..drivers.this_machine import LocalMachine

    return LocalMachine()


def units(*, system: bool) -> Units:
    """Return the systemd units of this machine, or of this user."""
    return this_machine().units(system=system)


def crontab(account: str) -> Crontab:
    """Return the table of cron of the system, whose lines run as an account; without one, that of this user."""
    return this_machine().crontab(account)


def posts(notify: NotifyConfig) -> tuple[Post, ...]:
    """Return the routes by which messages reach people. Raises ConfigError."""
    from ..drivers.monitoring.posts import routes

    return routes(notify.addresses_file, notify.command)


def machine(stack: StackConfig, environment: Mapping[str, str]) -> Machine:
    """Return the machine that runs the commands of a stack: this one, or a server over SSH. Nothing is connected."""
    if stack.host == LOCAL:
        from ..drivers.hosts.local import LocalHost

        return LocalHost()
    from ..drivers.hosts.ssh import SshHost, SshSettings, password_of

    settings = SshSettings(
        host=stack.host,
        user=stack.user,
        port=stack.ssh_port,
        identity_file=stack.identity_file,
        config_file=stack.ssh_config,
        password=password_of(environment),
        interactive=sys.stdin.isatty() and sys.stderr.isatty(),
    )
    return SshHost(settings)
