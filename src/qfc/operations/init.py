"""Write the configuration of a stack."""

from __future__ import annotations

import socket
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path, PurePath

from .. import config
from ..config import Config, StackConfig, is_deployment, writing
from ..errors import ConfigError, RefusedError
from ..stack.model import Capability
from ..stack.ports import Ports
from .guard import Options, guarded
from .status import is_running


@dataclass(frozen=True)
class Initialised:
    """The stack as configured now. `changed` is False if the configuration already said so.

    `default`: commands without --stack use this stack. `deployment` is the folder of a deployment on its host.
    """

    stack: str
    default: bool
    config: Path
    folder: Path
    changed: bool
    dry_run: bool
    steps: tuple[str, ...]
    deployment: PurePath | None = None


def init(
    name: str,
    values: Mapping[str, object],
    *,
    default: bool,
    environment: Mapping[str, str],
    wire: Callable[[StackConfig], Ports],
    options: Options,
    here: Path | None = None,
) -> Initialised:
    """Add a stack to the configuration, or change these values of it; the rest of the file stays unchanged.

    The new content is checked before it is written. If the folder of a deployment is not given, it is searched for: in
    the folder `here`, and by the containers of its host. Raises ConfigError.
    """
    path = config.config_path(environment)
    before = config.read_text(path)
    old = config.load(environment, stack=name).stacks.get(name)
    known = old is not None
    given = values if known else {"kind": "embedded", **values}
    after = writing.with_stack(before, name, given, default=default)
    stack = config.load(environment, stack=name, text=after).stack()
    if stack.kind.offers(Capability.CONTAINERS):
        found = _found(stack, wire, here)
        after = writing.with_stack(after, name, found, default=default)
        stack = config.load(environment, stack=name, text=after).stack()
    else:
        _require_address(stack.bind)
    if old is not None:
        _require_stopped(old, stack, wire)
    changed, steps = after != before, ()
    if changed:
        sentence = f"{'Change' if known else 'Add'} [stacks.{name}] in {path}"
        steps = _write(stack, path, after, sentence, wire, options)
    meant = _is_meant(name, config.load(environment, text=after))
    return Initialised(name, meant, path, stack.folder, changed, options.dry_run, steps, stack.project_path)


def _require_address(bind: str | None) -> None:
    """Refuse an address that this machine cannot listen on, before it is in the file."""
    if bind is None:
        return
    family = socket.AF_INET6 if ":" in bind else socket.AF_INET
    with closing(socket.socket(family, socket.SOCK_STREAM)) as probe:
        try:
            probe.bind((bind, 0))
        except OSError as error:
            raise ConfigError(
                [f"This machine cannot listen on the address {bind}."], hint="Correct --bind; 0.0.0.0 is all addresses."
            ) from error


def _require_stopped(old: StackConfig, new: StackConfig, wire: Callable[[StackConfig], Ports]) -> None:
    """Refuse to give a stack of this machine another folder or kind while it runs: nothing would find it again."""
    if (old.folder, old.kind) == (new.folder, new.kind) or not old.kind.offers(Capability.PROCESSES):
        return
    with closing(wire(old)) as ports:
        if is_running(ports.runtime.services()):
            raise RefusedError(
                f"{old.name} is running, with its data in {old.folder}.",
                hint="Type: qfc down, move that folder, then try again.",
            )


def _found(stack: StackConfig, wire: Callable[[StackConfig], Ports], here: Path | None) -> dict[str, object]:
    """Return folder and project of a deployment; nothing if the folder is given."""
    if stack.project_path is not None:
        return {}
    if stack.host == "local" and here is not None and is_deployment(here):
        return {"project_path": str(here)}
    ports = wire(stack)
    try:
        return {"project_path": str(ports.deployment.folder), "project": ports.deployment.project}
    finally:
        ports.close()


def _write(
    stack: StackConfig, path: Path, text: str, sentence: str, wire: Callable[[StackConfig], Ports], options: Options
) -> tuple[str, ...]:
    """Write the configuration: for a stack on this machine under its lock, for a server without contacting it."""
    if not stack.kind.offers(Capability.CONTAINERS):
        with guarded(wire(stack), "init", target=stack.name, options=options, of_moved=True) as guard:
            if guard.step(sentence):
                writing.write(path, text)
        return guard.steps
    if not options.dry_run:
        writing.write(path, text)
    return (sentence,)


def _is_meant(name: str, configuration: Config) -> bool:
    try:
        return configuration.stack().name == name
    except ConfigError:
        return False
