"""What a shell offers: names of services, faults, projects, users, backups, commands. A silent stack offers nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

import click
from click.shell_completion import CompletionItem

from .session import Session

Command = TypeVar("Command", bound=Callable[..., Any])
Completion = Callable[[click.Context, click.Parameter, str], list[CompletionItem]]


def _names(read: Callable[[Session], Iterable[str]]) -> Completion:
    """Return a completion with the names that begin as the word that is being typed."""

    def complete(context: click.Context, _parameter: click.Parameter, begun: str) -> list[CompletionItem]:
        session = context.ensure_object(Session)
        try:
            return [CompletionItem(name) for name in read(session) if name.casefold().startswith(begun.casefold())]
        except Exception:  # noqa: BLE001 - an error would stand in the middle of what somebody types
            return []
        finally:
            session.close()

    return complete


def _faults(session: Session) -> Iterable[str]:
    from ..lab import FAULTS

    return [one.id for one in FAULTS if one.is_possible(session.ports)]


stacks = _names(lambda session: session.config.stacks)
services = _names(lambda session: [one.name for one in session.ports.runtime.services()])
faults = _names(_faults)
projects = _names(lambda session: [f"{one.owner}/{one.name}" for one in session.ports.directory.projects()])
users = _names(lambda session: [one.username for one in session.ports.directory.users()])


backups = _names(lambda session: [one.id for one in session.ports.backups.state().manifests[::-1]])


def commands(context: click.Context, _parameter: click.Parameter, begun: str) -> list[CompletionItem]:
    """Return the first words of commands that begin as the word that is being typed."""
    root = context.find_root().command
    known = root.list_commands(context) if isinstance(root, click.Group) else []
    return [CompletionItem(name) for name in known if name.startswith(begun)]


def project_option(text: str) -> Callable[[Command], Command]:
    """Return the option that names a project."""
    return click.option("--project", metavar="PROJECT", shell_complete=projects, help=text)
