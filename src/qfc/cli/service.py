"""`qfc service`: start a stack with the machine, by a systemd unit."""

from __future__ import annotations

import os
import pwd
import sys
from collections.abc import Callable
from typing import Any

import click

from .. import wiring
from ..operations.service import ServiceUnit, plan_of, service_install, service_status, service_uninstall
from ..stack.ports.units import Units
from ..stack.unit import UnitPlan
from .output import Writer
from .session import Session, pass_session

HELP = """Start a stack with the machine: a systemd unit that also restarts a supervisor that died.

Root gets a unit of the system, which runs as the owner of the configuration; everybody else a unit of their own, which
needs `loginctl enable-linger` to start before they log in.
"""


@click.group("service", help=HELP)
def command() -> None:
    """Start a stack with the machine."""


def scope(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add the option that selects whose units are meant."""
    return click.option(
        "--system/--user",
        "system",
        default=None,
        help="Units of the system, or of this user; by default of the system for root.",
    )(function)


@command.command("install")
@scope
@pass_session
def install_command(session: Session, system: bool | None) -> None:
    """Write the unit, enable and start it. With --dry-run, print it."""
    units, plan = _units(system), _plan(session, system)
    result = service_install(session.ports, units, plan, session.options)
    session.writer.result(result, lambda writer: _write_installed(writer, result), quiet=str(result.path))


@command.command("uninstall")
@scope
@pass_session
def uninstall_command(session: Session, system: bool | None) -> None:
    """Disable and remove the unit. The stack goes on as it is; its data stay."""
    units, plan = _units(system), _plan(session, system)
    result = service_uninstall(session.ports, units, plan, session.options)
    session.writer.result(result, lambda writer: _write_removed(writer, result), quiet="")


@command.command("status")
@scope
@pass_session
def status_command(session: Session, system: bool | None) -> int:
    """Show whether the unit is installed, and its state. Exit code 1 unless it is active."""
    result = service_status(session.ports, _units(system), _plan(session, system))
    session.writer.result(result, lambda writer: _write_status(writer, result), quiet=result.state or "missing")
    return 0 if result.state == "active" else 1


def _units(system: bool | None) -> Units:
    return wiring.units(system=os.geteuid() == 0 if system is None else system)


def _plan(session: Session, system: bool | None) -> UnitPlan:
    config = session.config
    owner = pwd.getpwuid(config.path.stat().st_uid).pw_name if config.path.exists() else None
    environment = {"QFC_CONFIG": str(config.path.absolute()), "QFC_HOME": str(config.home)}
    program = (sys.executable, "-m", "qfc")
    return plan_of(session.ports, _units(system), program, environment, None if owner == "root" else owner)


def _write_installed(writer: Writer, result: ServiceUnit) -> None:
    if result.dry_run:
        writer.plan(result.steps)
        writer.line()
        writer.line(result.text.rstrip())
        return
    writer.line(f"{result.unit} is installed: {writer.paint(result.state or 'unknown')}.")
    if not result.is_system:
        writer.line("To start it before you log in, type: loginctl enable-linger")


def _write_removed(writer: Writer, result: ServiceUnit) -> None:
    if result.dry_run:
        writer.plan(result.steps)
        return
    state = "goes on running" if result.running else "is not running"
    writer.line(f"{result.unit} is removed; {result.stack} {state}.")


def _write_status(writer: Writer, result: ServiceUnit) -> None:
    if not result.installed:
        writer.line(f"{result.stack} does not start with the machine. Type: qfc service install")
    elif result.running and result.state != "active":
        writer.line(f"{result.unit} is {result.state}, but {result.stack} runs: it was started by hand.")
        writer.line("To let systemd watch it: qfc service install")
    else:
        writer.line(f"{result.unit} is {writer.paint(result.state or 'unknown')} ({result.path}).")
