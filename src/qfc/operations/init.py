"""Write the configuration of a stack."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from .. import config, config_file
from ..config import Config, StackConfig
from ..errors import ConfigError
from ..stack.ports import Ports
from .guard import Options, guarded


@dataclass(frozen=True)
class Initialised:
    """What stands in the configuration now. `changed` is False when it already stood there.

    `default`: commands mean this stack without --stack.
    """

    stack: str
    default: bool
    config: Path
    folder: Path
    changed: bool
    dry_run: bool
    steps: tuple[str, ...]


def init(
    name: str,
    values: Mapping[str, object],
    *,
    default: bool,
    environment: Mapping[str, str],
    wire: Callable[[StackConfig], Ports],
    options: Options,
) -> Initialised:
    """Add a stack to the configuration, or change those values of it; all else in the file stays as it is.

    The new content is checked before it is written. Raises ConfigError.
    """
    path = config.config_path(environment)
    before = config.read_text(path)
    known = name in config.load(environment, stack=name).stacks
    given = values if known else {"kind": "embedded", **values}
    after = config_file.with_stack(before, name, given, default=default)
    stack = config.load(environment, stack=name, text=after).stack()
    changed, steps = after != before, ()
    if changed:
        with guarded(wire(stack), "init", target=name, options=options) as guard:
            if guard.step(f"{'Change' if known else 'Add'} [stacks.{name}] in {path}"):
                config_file.write(path, after)
        steps = guard.steps
    meant = _is_meant(name, config.load(environment, text=after))
    return Initialised(name, meant, path, stack.folder, changed, options.dry_run, steps)


def _is_meant(name: str, configuration: Config) -> bool:
    try:
        return configuration.stack().name == name
    except ConfigError:
        return False
