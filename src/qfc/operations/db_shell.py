"""psql on the stack's database, in the operator's terminal."""

from __future__ import annotations

from collections.abc import Sequence

from ..stack.ports import Ports

SERVICE = "db"


def db_shell(ports: Ports, arguments: Sequence[str]) -> int:
    """Run psql until it ends; return its exit code. The runtime supplies the connection, not the arguments."""
    return ports.runtime.execute(SERVICE, ["psql", *arguments], attached=True).exit_code
