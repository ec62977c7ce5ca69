"""`qfc logs`: the logs of all services in chronological order."""

from __future__ import annotations

import json
from collections.abc import Iterator

import click

from ..operations.logs import LogQuery, Statements, logs, printed, span
from ..operations.queue_change import count
from ..stack.model import LogLine
from ..stack.queue import short
from . import complete
from .output import Writer, plain
from .session import Session, pass_session

#: Colours of services on a terminal, in the order in which services appear.
PALETTE = ("36", "35", "34", "32", "33")
#: Columns of a line that are coloured.
NAME = 16


@click.command("logs")
@click.option(
    "--service",
    "services",
    multiple=True,
    metavar="NAME",
    shell_complete=complete.services,
    help="Only this service, or all; repeatable.",
)
@click.option(
    "--lines", default=100, show_default=True, type=click.IntRange(1), help="Number of matching lines to print."
)
@click.option("--follow", is_flag=True, help="Print new lines until Ctrl-C. With --json, one object per line.")
@click.option("--since", metavar="SPAN", help="Only lines of the last 90s, 15m, 2h, 3d …")
@click.option("--grep", metavar="REGEX", help="Only lines that match this expression; level and instance count.")
@click.option("--job", metavar="ID", help="Only lines about this job.")
@click.option("--statements", is_flag=True, help="Also the statements that official databases log.")
@pass_session
def command(
    session: Session,
    services: tuple[str, ...],
    lines: int,
    follow: bool,
    since: str | None,
    grep: str | None,
    job: str | None,
    statements: bool,
) -> None:
    """Print the logs of all services, merged in chronological order."""
    chosen = None if not services or "all" in services else services
    query = LogQuery(chosen, lines, span(since) if since else None, follow, grep, job, statements)
    hidden = Statements()
    found = logs(session.ports, query, hidden)
    if follow:
        _follow(session.writer, found)
        return
    result = list(found)
    if not result:
        session.writer.remark("No log line matches.")
    document = {"lines": result, "hidden_statements": hidden.hidden}
    session.writer.result(document, lambda writer: _write(writer, iter(result)))
    if hidden.hidden:
        session.writer.remark(f"{count(hidden.hidden, 'statement')} of the database not shown; add --statements.")


def _follow(writer: Writer, found: Iterator[LogLine]) -> None:
    """Write lines as they come, until Ctrl-C."""
    try:
        if writer.as_json:
            for line in found:
                print(json.dumps(plain(line), ensure_ascii=False), file=writer.out, flush=True)
        else:
            _write(writer, found)
    except KeyboardInterrupt:
        return


def _write(writer: Writer, found: Iterator[LogLine]) -> None:
    colours: dict[str, str] = {}
    for line in found:
        colour = colours.setdefault(line.service, PALETTE[len(colours) % len(PALETTE)])
        moment = f"{line.time:%Y-%m-%d %H:%M:%S.%f}"[:-3] + "Z" if line.time else " " * 24
        name, rest = printed(line)[:NAME], printed(line)[NAME:]
        name = f"\033[{colour}m{name}\033[0m" if writer.colour else name
        job = f" [job {short(line.job_id)}]" if line.job_id and line.job_id not in line.text else ""
        writer.quoted(f"{moment}  {name}{rest}{job}".rstrip())
        writer.out.flush()
