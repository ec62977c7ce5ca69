"""`qfc mcp`: the commands as tools for an AI agent."""

from __future__ import annotations

import os
import secrets
import socket
from pathlib import Path

import click

from ..errors import ConfigError, RefusedError, UsageError
from ..files import replace_file
from . import complete
from .session import Session, pass_session

#: Shorter tokens can be guessed.
SHORTEST_TOKEN = 24


@click.command("mcp")
@click.option("--read-only", is_flag=True, help="Offer no tool that changes anything.")
@click.option(
    "--allow",
    "groups",
    multiple=True,
    metavar="GROUP",
    shell_complete=complete.commands,
    help="Allow changes only by these commands: jobs, workers, …",
)
@click.option(
    "--http", "port", type=click.IntRange(1, 65535), metavar="PORT", help="Serve over HTTP at this port instead."
)
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen at, with --http.")
@click.option(
    "--token-file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="The file with the token for --http; it is made if it is not there.",
)
@pass_session
def command(
    session: Session, read_only: bool, groups: tuple[str, ...], port: int | None, host: str, token_file: Path | None
) -> None:
    """Offer all commands as tools for an AI agent, over the Model Context Protocol.

    Tools that only look answer at once. A tool that changes something first answers with a plan and an id, and changes
    nothing; called again with that id, it does what was planned, if the state is still the same.
    """
    _require_sdk()
    from ..mcp.serve import over_http, over_stdio
    from ..mcp.server import build
    from ..mcp.toolbox import Limits, Toolbox
    from .catalog import command_names
    from .main import root

    unknown = sorted(set(groups) - set(command_names()))
    if unknown:
        raise UsageError(
            f"There is no command {unknown[0]}.", hint="Give --allow the first word of commands: jobs, workers"
        )
    limits = Limits(read_only, frozenset(groups) or None)
    if session.stack:
        os.environ["QFC_STACK"] = session.stack
    server = build(Toolbox(root, limits, session.config.home / "passwords"))
    if port is None:
        over_stdio(server)
        return
    _require_free(host, port)
    token = _token(session, token_file or session.config.home / "mcp-token")
    session.writer.remark(f"Serving at http://{host}:{port}/mcp; stop with Ctrl-C.")
    over_http(server, host, port, token)


def _require_free(host: str, port: int) -> None:
    """Refuse a port that cannot be had, before anything is said or made."""
    try:
        with socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET):
            pass
    except OSError as error:
        raise RefusedError(
            f"Port {port} of {host} cannot be used: {error.strerror}.", hint="Choose another: qfc mcp --http PORT"
        ) from error


def _require_sdk() -> None:
    try:
        import mcp_types  # noqa: F401 - only whether it is there # pyright: ignore[reportUnusedImport]
    except ImportError as error:
        raise ConfigError(
            ["The SDK of the Model Context Protocol is not installed."],
            hint="Type: pip install 'qfieldcloud-suite[mcp]'",
        ) from error


def _token(session: Session, path: Path) -> str:
    """Return the token in a file; make one where there is none."""
    from ..mcp.serve import token_in

    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        replace_file(path, f"{secrets.token_urlsafe(32)}\n".encode(), mode=0o600)
        session.writer.remark(f"A token was made: {path}")
    token = token_in(path)
    if len(token) < SHORTEST_TOKEN:
        raise UsageError(
            f"The token in {path} is shorter than {SHORTEST_TOKEN} characters.",
            hint="Remove the file; a new one is made.",
        )
    return token
