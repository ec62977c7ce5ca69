"""`qfc init`: write the configuration of a stack."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path

import click

from .. import wiring
from ..config import home_folder
from ..errors import UsageError
from ..operations.init import Initialised, init
from ..stack.model import Capability
from .output import Writer
from .session import Session, pass_session
from .settings import setting_options

USUAL = "local"
HELP = """Write the configuration of a stack, by default one named `local` on this machine.

On a terminal and without options it asks for name, folder, port and administrator; with --yes it does not ask.

Run it again with other options to change them; comments and order of the file stay. Without an option a setting has
its default: port 8011, address 127.0.0.1, 2 workers, PostgreSQL from the Python wheel.

\b
An official deployment under Docker Compose, here or on a server that `ssh` reaches:
  qfc init here --kind compose                        found by its containers, or in this folder
  qfc init server --kind compose --host gis.example.org --user ops
  qfc init server --kind compose --host gis.example.org --project-path /opt/QFieldCloud
"""


@click.command("init", help=HELP)
@click.argument("name", required=False)
@setting_options()
@click.option("--default", is_flag=True, help="Make it the stack that is meant without --stack.")
@pass_session
def command(session: Session, name: str | None, default: bool, **values: object) -> None:
    """Write the configuration."""
    name = _name(name, session.stack)
    given = {key: value for key, value in values.items() if value is not None}
    if not default and is_guided(session, given):
        guide(session, name)
        return
    result = init(
        name, given, default=default, environment=os.environ, wire=wiring.wire, here=Path.cwd(), options=session.options
    )
    session.writer.result(result, lambda writer: _write(writer, result), quiet=result.stack)


def _name(argument: str | None, stack: str | None) -> str:
    """Return the stack that is meant: NAME or --stack, which must not differ. Raises UsageError."""
    if argument and stack and argument != stack:
        raise UsageError(f"{argument} and --stack {stack} are two stacks.", hint="Name one: qfc init NAME")
    return argument or stack or USUAL


def is_guided(session: Session, given: Mapping[str, object]) -> bool:
    """Return whether to ask for what is not given: on a terminal, by people, when no setting is given."""
    is_asked = not (given or session.json or session.yes or session.dry_run or session.quiet)
    return is_asked and sys.stdin.isatty() and sys.stdout.isatty()


def guide(session: Session, suggested: str) -> None:
    """Ask for the most important settings of a stack on this machine; start it and create an administrator."""
    click.echo("A stack on this machine. Enter accepts what is in brackets. For a deployment: qfc init --help")
    name = click.prompt("Name", default=suggested)
    usual = _usual(session, name)
    given = {
        "folder": click.prompt("Folder for its data", default=usual["folder"]),
        "port": click.prompt("Port", default=usual["port"], type=click.IntRange(1, 65535)),
    }
    session.stack, values = name, {key: value for key, value in given.items() if value != usual[key]}
    result = init(
        name, values, default=False, environment=os.environ, wire=wiring.wire, here=None, options=session.options
    )
    session.stack = None if result.default else name
    admin = click.prompt("Start it now, with this administrator (empty: later)", default="", show_default=False)
    if not admin:
        _write(session.writer, result)
        return
    _start(session, admin)


def _usual(session: Session, name: str) -> dict[str, object]:
    """Return the settings that a stack has without an answer. Raises UsageError for a deployment."""
    known = session.config.stacks.get(name)
    if known is not None and known.kind.offers(Capability.CONTAINERS):
        raise UsageError(f"{name} is a deployment.", hint="Change it with options; see: qfc init --help")
    folder = known.folder if known else home_folder(os.environ) / name
    return {"folder": str(folder), "port": (known and known.port) or 8011}


def _start(session: Session, admin: str) -> None:
    from ..operations.up import up
    from ..operations.users_create import users_create

    started = up(session.ports, session.options)
    account = users_create(session.ports, admin, email="", superuser=True, password=None, options=session.options)
    session.writer.line(f"{started.stack} is running: {started.verdict}, {started.url}")
    session.writer.line(f"Administrator: {account.username}. Password, shown once: {account.password}")
    session.writer.line("Next: connect QField to this address; qfc status")


def _write(writer: Writer, result: Initialised) -> None:
    if not result.changed:
        writer.line(f"Stack {result.stack} is configured in {result.config}; nothing to change.")
        return
    for step in result.steps if result.dry_run else ():
        writer.line(f"Would: {step}")
    chosen = "" if result.default else f"--stack {result.stack} "
    if result.deployment is None:
        writer.line(f"Its data will be in {result.folder}. Next: qfc {chosen}up")
    else:
        writer.line(f"The deployment is in {result.deployment}. Next: qfc {chosen}status")
