"""The state that a stack keeps from one start to the next: port, address, workers.

A setting that the operator has changed since overrides the stored state, which overrides the default. So
`workers scale 3` survives `down` and `up`, and an edit of the configuration still takes effect.
"""

from __future__ import annotations

import json
import random
import socket
from collections.abc import Mapping
from contextlib import closing
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from ....errors import ConfigError, QfcError, RefusedError
from ....files import keep_file
from .layout import EmbeddedConfig
from .listening import user_of

DEFAULT_PORT = 8011
#: The setting that asks for the last port, or for any free one if another program uses it.
ANY_PORT = 0
#: Where any free port is looked for: below those that the kernel gives to outgoing connections, one of which could
#: otherwise have the port when the API starts again.
ANY_PORTS = range(10_000, 20_000)
DEFAULT_BIND = "127.0.0.1"


@dataclass(frozen=True)
class EmbeddedState:
    """`workers` are the numbers of the workers, possibly with gaps. `given` is the configuration at that time."""

    port: int | None = None
    bind: str = DEFAULT_BIND
    workers: tuple[int, ...] = (1, 2)
    given: Mapping[str, Any] = field(default_factory=dict[str, Any])

    def scaled(self, count: int, leaving: tuple[int, ...] = ()) -> EmbeddedState:
        """Return the state with `count` workers: the first in `leaving` is removed first, new ones fill the gaps."""
        order = [number for number in self.workers if number not in leaving] + list(reversed(leaving))
        free = (number for number in range(1, len(order) + count + 1) if number not in order)
        kept = order[:count] if count <= len(order) else [*order, *(next(free) for _ in range(count - len(order)))]
        return replace(self, workers=tuple(sorted(kept)))


def read(path: Path) -> EmbeddedState:
    """Return the stored state. Raises QfcError for an invalid file."""
    try:
        document: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        return EmbeddedState(document["port"], document["bind"], tuple(document["workers"]), document["given"])
    except FileNotFoundError:
        return EmbeddedState()
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise QfcError(
            f"{path} cannot be read.", hint=f"Remove {path}; port and workers are then chosen again."
        ) from error


def write(path: Path, state: EmbeddedState) -> None:
    """Store the state. Raises QfcError."""
    keep_file(path, json.dumps(asdict(state), indent=2).encode() + b"\n")


def merged(state: EmbeddedState, settings: EmbeddedConfig) -> EmbeddedState:
    """Return the state with the settings that have changed since it was written; the port is not considered."""
    bind, workers = settings.bind, settings.workers
    given = {"port": settings.port, "bind": bind, "workers": workers}
    result = replace(state, given=given)
    if bind is not None and bind != state.given.get("bind"):
        result = replace(result, bind=bind)
    if workers is not None and workers != state.given.get("workers"):
        result = result.scaled(workers)
    return result


def with_port(state: EmbeddedState, settings: EmbeddedConfig, own: int | None = None) -> EmbeddedState:
    """Return the state with a free port: the configured one, else the last one, else 8011 or, on request, any.

    `own` is the port that our API uses now and would release. Raises RefusedError if another program uses the port,
    ConfigError if this account cannot listen there.
    """
    _require_address(state.bind)
    port = settings.port or state.port or (None if settings.port == ANY_PORT else DEFAULT_PORT)
    if port is not None and (port == own or is_free(state.bind, port)):
        return replace(state, port=port)
    if port is None or settings.port == ANY_PORT:
        return replace(state, port=_any_port(state.bind))
    raise taken(state.bind, port)


def taken(bind: str, port: int) -> RefusedError:
    """Return the error for a port that another program uses: which one, and what to type."""
    return RefusedError(
        f"Port {port} of {bind} is used by {user_of(port)}.",
        hint="Stop that program, or choose another port: qfc up --port NUMBER, or any free one: qfc up --any-port",
    )


def is_free(bind: str, port: int) -> bool:
    """Return whether a server can listen there now. Raises ConfigError if this account cannot, whoever else does."""
    with closing(socket.socket(_family(bind), socket.SOCK_STREAM)) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((bind, port))
            probe.listen(1)
        except PermissionError as error:
            raise ConfigError(
                [f"This account may not listen on port {port}: low ports belong to root."],
                hint="Use a port from 1024 up with a proxy in front; see howto/network in the documentation",
            ) from error
        except OSError:
            return False
        return True


def _any_port(bind: str) -> int:
    tried = random.sample(ANY_PORTS, k=len(ANY_PORTS))
    return next(port for port in tried if is_free(bind, port))


def _require_address(bind: str) -> None:
    with closing(socket.socket(_family(bind), socket.SOCK_STREAM)) as probe:
        try:
            probe.bind((bind, 0))
        except OSError as error:
            raise ConfigError(
                [f"This machine cannot listen on the address {bind}."], hint="Correct bind or --bind."
            ) from error


def _family(bind: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in bind else socket.AF_INET
