"""`qfc notice`: tell all users of an incident or a maintenance."""

from __future__ import annotations

from datetime import datetime

import click

from ..errors import UsageError
from ..operations.notices import (
    Notice,
    NoticeChanged,
    NoticesShown,
    notice_clear,
    notice_set,
    notices_shown,
    parse_time,
)
from .output import Writer
from .session import Session, pass_session


@click.command("notice")
@click.argument("text", required=False)
@click.option("--from", "begins", metavar="TIME", help="Beginning of a planned maintenance, in your time zone.")
@click.option("--to", "ends", metavar="TIME", help="Its end; the notice disappears then.")
@click.option("--status-page", metavar="URL", help="Page with more about the server's state; '' for none.")
@click.option("--clear", is_flag=True, help="Take all notices back.")
@pass_session
def command(
    session: Session, text: str | None, begins: str | None, ends: str | None, status_page: str | None, clear: bool
) -> None:
    """Tell all users of an incident, or with --from and --to of a maintenance. Without TEXT, show the notices."""
    if clear and text:
        raise UsageError("--clear takes notices back; it has no text.")
    if not clear and text is None:
        if begins or ends or status_page is not None:
            raise UsageError("The notice has no text.", hint='Type: qfc notice "The server is updated."')
        shown = notices_shown(session.ports)
        session.writer.result(shown, lambda writer: _write_shown(writer, shown))
        return
    result = _change(session, text, begins, ends, status_page)
    session.writer.result(result, lambda writer: _write_changed(writer, result), quiet="")


def _change(
    session: Session, text: str | None, begins: str | None, ends: str | None, status_page: str | None
) -> NoticeChanged:
    if text is None:
        return notice_clear(session.ports, session.options)
    now = datetime.now().astimezone()
    times = [parse_time(time, now) if time else None for time in (begins, ends)]
    return notice_set(session.ports, Notice(text, *times), status_page=status_page, options=session.options)


def _write_changed(writer: Writer, result: NoticeChanged) -> None:
    for step in result.steps:
        writer.line(f"{'Would: ' if result.dry_run else ''}{step}")
    if not result.dry_run:
        writer.line("Apps show it within a minute or two.")


def _write_shown(writer: Writer, shown: NoticesShown) -> None:
    if shown.incident_message:
        writer.line(f"Incident since {shown.incident_timestamp_utc} UTC: {shown.incident_message}")
    if shown.maintenance_message:
        times = f"{shown.maintenance_start_timestamp_utc} to {shown.maintenance_end_timestamp_utc} UTC"
        writer.line(f"Maintenance, {times}: {shown.maintenance_message}")
    if not shown.incident_message and not shown.maintenance_message:
        writer.line("There is no notice.")
    if shown.status_page_url:
        writer.line(f"Status page: {shown.status_page_url}")
