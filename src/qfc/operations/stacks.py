"""The configured stacks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path, PurePath

from ..config import Config, StackConfig
from ..errors import QfcError
from ..stack.findings import worst
from ..stack.health import of_service
from ..stack.model import Kind, ServiceState, Verdict
from ..stack.ports import Ports
from .status import is_running


@dataclass(frozen=True)
class StackLine:
    """A configured stack. `state` is running, stopped or unknown; `detail` says why it is unknown.

    `folder` is where its data or its Compose files are, on `host`.
    """

    name: str
    kind: Kind
    default: bool
    state: ServiceState
    verdict: Verdict
    url: str | None
    folder: PurePath
    detail: str
    host: str = "local"


@dataclass(frozen=True)
class Stacks:
    """All stacks, and the configuration file."""

    config: Path
    stacks: tuple[StackLine, ...]


def stacks(configuration: Config, wire: Callable[[StackConfig], Ports]) -> Stacks:
    """Return the state of each stack from its services, without a query to its database."""
    only = len(configuration.stacks) == 1
    lines = [_line(stack, only or name == configuration.default, wire) for name, stack in configuration.stacks.items()]
    return Stacks(configuration.path, tuple(lines))


def _line(stack: StackConfig, default: bool, wire: Callable[[StackConfig], Ports]) -> StackLine:
    try:
        ports = wire(stack)
        services = ports.runtime.services()
    except QfcError as error:
        unknown = (ServiceState.UNKNOWN, Verdict.UNKNOWN, None)
        return StackLine(stack.name, stack.kind, default, *unknown, _folder(stack), error.message, stack.host)
    running = is_running(services)
    state = ServiceState.RUNNING if running else ServiceState.STOPPED
    verdict = worst(map(of_service, services)) if running else Verdict.DOWN
    url = ports.api.url if running else None
    return StackLine(stack.name, stack.kind, default, state, verdict, url, _folder(stack), "", stack.host)


def _folder(stack: StackConfig) -> PurePath:
    return stack.project_path or stack.folder
