"""`qfc demo`: the whole workflow on a stack of its own, from start to finish."""

from __future__ import annotations

import os
import shutil
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import click

from .. import wiring
from ..config import DEMO
from ..demo.results import Step
from ..demo.summary import as_dict, step_line, summary_table
from ..errors import ConfigError
from ..operations.init import init
from .output import Writer
from .session import Session, pass_session
from .status import document as status_document
from .status import write as write_status

if TYPE_CHECKING:
    from ..operations.demo import Demo

#: Packages that the devices of the demo need, and a suite without a node has not.
NEEDED = ("qfieldcloud_sdk", "shapely")
NEXT = {
    "--stack demo sync recent": "recent jobs, and how long they took",
    "--stack demo deltas list": "the edit with the conflict",
    "--stack demo logs --follow": "the logs of all services",
    "--stack demo users list": "all users",
    "--stack demo users password NAME --generate": "a password for logging in, also in QField",
    "--stack demo down": "stop the stack; its data stays",
    "init": "configure your own stack; then type: up",
}


@click.command("demo")
@click.option("--once", is_flag=True, help="Stop the stack at the end. Exit code 1 if any step failed.")
@click.option("--workers", type=click.IntRange(2), default=2, show_default=True, help="Number of workers.")
@pass_session
def command(session: Session, once: bool, workers: int) -> int:
    """Start a stack named demo and run the whole workflow on it: upload, package, field edits, a killed worker."""
    _require_packages()
    from ..operations.demo import demo, demo_plan

    if session.dry_run:
        plan = demo_plan(once=once)
        session.writer.result({"dry_run": True, "steps": plan}, lambda writer: writer.plan(plan))
        return 0
    session.stack, session.settings = DEMO, {"port": 0}
    init(DEMO, {"workers": workers}, default=False, environment=os.environ, wire=wiring.wire, options=session.options)
    show = _Show(session.writer)
    result = demo(session.ports, session.options, once=once, on_step=show.step)
    document = {**as_dict(result.scenario), "status": status_document(result.status), "stopped": result.stopped}
    session.writer.result(document, lambda writer: show.end(writer, result), quiet="ok" if result.ok else "failed")
    return 0 if result.ok else 1


def _require_packages() -> None:
    missing = [name for name in NEEDED if find_spec(name) is None]
    if missing:
        raise ConfigError([f"The demo needs {' and '.join(missing)}."], hint="Install qfieldcloud-suite[node].")


class _Show:
    """Shows each step as it finishes, and a summary at the end."""

    def __init__(self, writer: Writer) -> None:
        from rich.console import Console

        self._writer = writer
        self._console = Console(file=writer.err if writer.as_json else writer.out)

    def step(self, step: Step) -> None:
        """Show a finished step."""
        if not self._writer.quiet:
            self._console.print(step_line(step))

    def end(self, writer: Writer, result: Demo) -> None:
        """Show the summary, the stack's status and what to try next."""
        self._console.print()
        self._console.print(summary_table(result.scenario))
        writer.line()
        write_status(writer, result.status)
        writer.line()
        if result.stopped:
            writer.line("The stack is stopped. To keep it running, leave out --once.")
        else:
            write_next(writer)


def write_next(writer: Writer) -> None:
    """Print what to type next, with the program's path where `qfc` is not on PATH."""
    called = program(Path(sys.argv[0]), Path.cwd())
    width = max(map(len, NEXT))
    writer.line("What to try next:")
    for arguments, meaning in NEXT.items():
        writer.line(f"  {called} {arguments.ljust(width)}  {meaning}")


def program(path: Path, folder: Path) -> str:
    """Return what to type in `folder` for the program at `path`."""
    found = shutil.which(path.name)
    if found and Path(found).resolve() == path.resolve():
        return path.name
    return str(path.relative_to(folder)) if path.is_relative_to(folder) else str(path)
