"""`qfc up`: start a stack, or the services that are down."""

from __future__ import annotations

import click

from ..errors import UsageError
from ..operations.up import Up, up
from ..stack.model import Verdict
from .output import Writer
from .session import Session, pass_session
from .settings import setting_options


@click.command("up")
@setting_options(("port", "bind", "workers"))
@click.option("--any-port", is_flag=True, help="Use any free port, or the last one while it is free.")
@pass_session
def command(session: Session, any_port: bool, **settings: object) -> int:
    """Start a stack, or the services that are down, and wait until the stack is ready. Safe to repeat."""
    if any_port and settings["port"]:
        raise UsageError("--port and --any-port exclude each other.", hint="Give only one of them.")
    kept, given = session.config.stack().port, settings["port"]
    session.settings = {**settings, "port": 0} if any_port else settings
    result = up(session.ports, session.options)
    once = f"{kept}, not {given}" if kept and given not in (None, kept) else ""
    session.writer.result(result, lambda writer: _write(writer, result, once), quiet=result.url or "")
    return 0 if result.dry_run or result.verdict is Verdict.OK else 1


def _write(writer: Writer, result: Up, once: str) -> None:
    """Print the start. `once` names the port of the next one, if that is not the given one."""
    if result.dry_run:
        for step in result.steps:
            writer.line(f"Would: {step}")
        return
    what = "was already running" if result.already_running else "is running"
    writer.line(f"{result.stack} {what}: {writer.paint(result.verdict.value)}, {result.url}")
    for reason in result.reasons:
        writer.line(f"  {reason}")
    if once:
        writer.line(f"The next start uses port {once}. To keep it: qfc init {result.stack} --port …")
    if not result.already_running:
        writer.line("Next: qfc users create NAME, then connect QField to this address; qfc status")
