"""`qfc up`: start a stack, or the services that are down."""

from __future__ import annotations

import click

from ..operations.up import Up, up
from ..stack.model import Verdict
from .output import Writer
from .session import Session, pass_session
from .settings import setting_options


@click.command("up")
@setting_options(("port", "bind", "workers"))
@pass_session
def command(session: Session, **settings: object) -> int:
    """Start a stack, or the services that are down, and wait until the stack is ready. Safe to repeat."""
    session.settings = settings
    result = up(session.ports, session.options)
    called = f"qfc --stack {session.stack}" if session.stack else "qfc"
    session.writer.result(result, lambda writer: _write(writer, result, called), quiet=result.url or "")
    return 0 if result.dry_run or result.verdict is Verdict.OK else 1


def _write(writer: Writer, result: Up, called: str) -> None:
    if result.dry_run:
        for step in result.steps:
            writer.line(f"Would: {step}")
        return
    what = "was already running" if result.already_running else "is running"
    writer.line(f"{result.stack} {what}: {writer.paint(result.verdict.value)}, {result.url}")
    for reason in result.reasons:
        writer.line(f"  {reason}")
    if not result.already_running:
        writer.line(f"Next: {called} users create NAME, then connect QField to this address; {called} status")
