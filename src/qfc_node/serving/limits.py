"""How long and how often clients may keep the server waiting."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from .. import environment


class Phase(Enum):
    """What a connection waits for."""

    IDLE = "the next request"
    HEADERS = "the headers of a request"
    BODY = "the body of a request"
    WORK = "the server"
    ANSWER = "the client to read its answer"


@dataclass(frozen=True)
class Limits:
    """Seconds, bytes and numbers of connections; each process counts its own."""

    idle_s: float = 15
    headers_s: float = 20
    #: A body or an answer may stand still for so long, and must have this speed after that.
    stall_s: float = 60
    bytes_per_s: float = 500
    connections: int = 1000
    per_address: int = 100

    @classmethod
    def from_environment(cls) -> Limits:
        """Read the settings of the operator. Raises SettingsError."""
        return cls(
            idle_s=environment.number("QFC_NODE_IDLE_S", 15),
            headers_s=environment.number("QFC_NODE_HEADERS_S", 20),
            stall_s=environment.number("QFC_NODE_STALL_S", 60),
            bytes_per_s=environment.number("QFC_NODE_BYTES_PER_S", 500),
            connections=environment.number("QFC_NODE_CONNECTIONS", 1000),
            per_address=environment.number("QFC_NODE_CONNECTIONS_PER_ADDRESS", 100),
        )


@dataclass(frozen=True)
class Progress:
    """What a connection has waited for: since when, since when without a byte, and how many bytes came meanwhile."""

    phase: Phase
    waited_s: float
    still_s: float
    moved: int


def is_late(progress: Progress, limits: Limits) -> bool:
    """Whether the client has kept the server waiting for too long."""
    if progress.phase is Phase.WORK:
        return False
    if progress.phase is Phase.IDLE:
        return progress.waited_s > limits.idle_s
    if progress.phase is Phase.HEADERS:
        return progress.waited_s > limits.headers_s
    expected = max(0.0, progress.waited_s - limits.stall_s) * limits.bytes_per_s
    return progress.still_s > limits.stall_s or progress.moved < expected
