"""Remove a stack from the configuration; its data only on request."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from .. import config
from ..config import StackConfig, writing
from ..config.known import KnownStack
from ..errors import RefusedError
from ..stack.model import Capability
from ..stack.ports import Ports
from ..stack.protection import read
from .guard import Options, guarded
from .status import is_running

#: One of these is in the folder of every stack that was ever started.
MARKS = ("state.json", "supervisord.conf", "db")


@dataclass(frozen=True)
class StackRemoved:
    """A stack that the configuration no longer has. `folder` has its data, unless they were deleted."""

    stack: str
    config: Path
    folder: Path
    data_deleted: bool
    dry_run: bool
    steps: tuple[str, ...]


def stacks_remove(
    name: str,
    *,
    with_data: bool,
    environment: Mapping[str, str],
    wire: Callable[[StackConfig], Ports],
    options: Options,
) -> StackRemoved:
    """Remove a stack from the configuration, after a question. `with_data` also deletes its folder.

    Raises RefusedError if it runs or is protected, ConfigError if there is none of that name.
    """
    loaded = config.load(environment, stack=name)
    stack = loaded.stack()
    text = config.read_text(loaded.path)
    after = writing.without_stack(text, name)
    with closing(wire(stack)) as ports:
        _require_removable(ports, stack, with_data)
        everything = f"everything in {stack.folder}{_key_of_backups(ports)}"
        data = f"DELETE {everything}" if with_data else f"its data stay in {stack.folder}"
        question = f"Remove {name} from {loaded.path}; {data}?"
        with guarded(ports, "stacks remove", target=name, options=options, question=question, of_moved=True) as guard:
            if guard.step(f"Remove [stacks.{name}] from {loaded.path}"):
                writing.write(loaded.path, after)
                KnownStack(stack.notes, name).forget()
            delete = with_data and guard.step(f"Delete {everything}")
        if delete:
            ports.host.run(["rm", "-r", "--", str(stack.folder)])
    return StackRemoved(name, loaded.path, stack.folder, delete, guard.dry_run, guard.steps)


def _key_of_backups(ports: Ports) -> str:
    """Say that the key of the backups is among the data: the backups lie elsewhere, and stay."""
    if not ports.offers(Capability.BACKUPS) or ports.backups.keys.identity() is None:
        return ""
    return ", with the key of its backups, which then only the recovery sheet opens"


def _require_removable(ports: Ports, stack: StackConfig, with_data: bool) -> None:
    """Refuse a stack that is protected or, of processes, runs; and to delete a folder that holds no stack."""
    protection = read(ports.own_records)
    if protection is not None and protection.ours:
        raise RefusedError(
            f"{stack.name} is protected: its timers, and a monitor that is also that of others, would go on.",
            hint=f"Type first: qfc --stack {stack.name} protect --undo",
        )
    if not ports.offers(Capability.PROCESSES):
        if with_data:
            raise RefusedError(
                f"{stack.name} is a deployment: qfc does not delete its data.", hint="Leave out --with-data."
            )
        return
    if is_running(ports.runtime.services()):
        raise RefusedError(f"{stack.name} is running.", hint="Type: qfc down, then try again.")
    if with_data and not any((stack.folder / mark).exists() for mark in MARKS):
        raise RefusedError(f"{stack.folder} holds no data of a stack.", hint="Leave out --with-data.")
