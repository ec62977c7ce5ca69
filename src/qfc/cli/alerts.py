"""`qfc alerts`: what the monitor tells people of, and who takes care of it."""

from __future__ import annotations

import click

from ..operations.logs import span
from ..operations.monitor import orders, review
from .monitor import WHY, write_order
from .output import Writer, time_text
from .session import Session, pass_session


@click.group("alerts")
def command() -> None:
    """List open alerts; say that you take care of one, or that nobody wants to hear of it."""


@command.command("list")
@pass_session
def list_command(session: Session) -> int:
    """List open alerts and silences. Exit code 1 if an alert is open."""
    result = review.alerts(session.ports)
    session.writer.result(
        result, lambda writer: _write(writer, result), quiet="\n".join(one.id for one in result.alerts)
    )
    return 1 if result.alerts else 0


@command.command("ack")
@click.argument("alert")
@click.option("--reason", required=True, help=WHY)
@pass_session
def ack_command(session: Session, alert: str, reason: str) -> None:
    """Say that you take care of an open alert: it is not repeated."""
    write_order(session, orders.acknowledge(session.ports, session.options, alert=alert, why=reason))


@command.command("silence")
@click.argument("alert")
@click.option("--for", "span_", required=True, metavar="SPAN", help="How long: 90s, 15m, 2h, 3d …")
@click.option("--reason", required=True, help=WHY)
@pass_session
def silence_command(session: Session, alert: str, span_: str, reason: str) -> None:
    """Tell nobody of an alert for some time; '*' means every alert. It is repaired all the same."""
    seconds = span(span_).total_seconds()
    write_order(session, orders.silence(session.ports, session.options, alert=alert, seconds=seconds, why=reason))


@command.command("unsilence")
@click.argument("alert")
@pass_session
def unsilence_command(session: Session, alert: str) -> None:
    """Tell people of a silenced alert again."""
    write_order(session, orders.unsilence(session.ports, session.options, alert=alert))


def _write(writer: Writer, result: review.AlertsList) -> None:
    if not result.alerts:
        writer.line("No alert is open.")
    else:
        rows = [
            (one.id, writer.paint(one.severity), time_text(one.since), one.title, one.state or "-")
            for one in result.alerts
        ]
        writer.table(("ALERT", "SEVERITY", "SINCE (UTC)", "WHAT", "TAKEN CARE OF"), rows, folded=(3, 4))
    for silence in result.silences:
        writer.line(f"Silenced: {silence.alert} until {time_text(silence.until)} UTC by {silence.who}: {silence.why}")
