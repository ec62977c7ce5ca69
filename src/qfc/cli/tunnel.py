"""`qfc tunnel`: the Cloudflare tunnel in front of a deployment."""

from __future__ import annotations

import click

from ..operations.tunnel import TunnelStatus, tunnel_status
from ..stack.model import Verdict
from .output import Writer
from .session import Session, pass_session
from .tables import paragraph


@click.group("tunnel")
def command() -> None:
    """Check the Cloudflare tunnel in front of a deployment."""


@command.command("status")
@pass_session
def status_command(session: Session) -> int:
    """Check whether the tunnel runs, is connected and leads to the right port. Probe the server with and without it."""
    result = tunnel_status(session.ports)
    session.writer.result(result, lambda writer: _write(writer, result), quiet=result.verdict)
    return 0 if result.verdict in (Verdict.OK, Verdict.UNKNOWN) else 1


def _write(writer: Writer, result: TunnelStatus) -> None:
    if not result.tunnels:
        writer.line("No cloudflared is running on the host.")
    else:
        rows = [
            (one.name, one.kind, "running" if one.running else "stopped", one.connections, one.config)
            for one in result.tunnels
        ]
        writer.table(("TUNNEL", "KIND", "STATE", "CONNECTIONS", "CONFIGURATION"), rows, right=(3,), folded=(4,))
        writer.line(f"{result.host} leads to {result.service or 'an unknown address'}")
    for side in result.sides:
        latency = "" if side.latency_ms is None else f" in {side.latency_ms:.0f} ms"
        writer.line(f"{side.name:<7}  {side.url}  {side.detail}{latency}")
    for sentence in result.problems:
        paragraph(writer, sentence)
