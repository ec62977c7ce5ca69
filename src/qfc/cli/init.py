"""`qfc init`: write the configuration of a stack."""

from __future__ import annotations

import os
from pathlib import Path

import click

from .. import wiring
from ..operations.init import Initialised, init
from .output import Writer
from .session import Session, pass_session
from .settings import setting_options

HELP = """Write the configuration of a stack, by default one named `local` on this machine.

Run it again with other options to change them; comments and order of the file stay. Without an option a setting has
its default: port 8011 or a free one, address 127.0.0.1, 2 workers, PostgreSQL from the Python wheel.

\b
An official deployment under Docker Compose, here or on a server that `ssh` reaches:
  qfc init here --kind compose                        found by its containers, or in this folder
  qfc init server --kind compose --host gis.example.org --user ops
  qfc init server --kind compose --host gis.example.org --project-path /opt/QFieldCloud
"""


@click.command("init", help=HELP)
@click.argument("name", default="local")
@setting_options()
@click.option("--default", is_flag=True, help="Make it the stack that is meant without --stack.")
@pass_session
def command(session: Session, name: str, default: bool, **values: object) -> None:
    """Write the configuration."""
    given = {key: value for key, value in values.items() if value is not None}
    result = init(
        name, given, default=default, environment=os.environ, wire=wiring.wire, here=Path.cwd(), options=session.options
    )
    session.writer.result(result, lambda writer: _write(writer, result), quiet=result.stack)


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
