"""The tools that a server has, and what a call of one does: a look, a plan, or a change that was planned."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from ..errors import QfcError, RefusedError, UsageError
from ..files import replace_file
from .calls import Answer, Report, call
from .plans import LIFETIME_S, PlanBook, check
from .tools import Command, command_line, commands, input_schema

#: Keys of an answer that hold what only the operator may see: a new password, the key of backups.
SECRETS = ("password", "sheet")


@dataclass(frozen=True)
class Limits:
    """What the operator allows. `groups` are first words of commands that may change something; None: all."""

    read_only: bool = False
    groups: frozenset[str] | None = None

    def allow(self, command: Command) -> bool:
        """Whether a command may change something."""
        return not self.read_only and (self.groups is None or command.group in self.groups)


class Toolbox:
    """The tools of one server. `folder` is where new passwords are left, for the operator alone."""

    def __init__(self, root: click.Group, limits: Limits, folder: Path) -> None:
        self._limits = limits
        self._folder = folder
        self._plans = PlanBook(time.monotonic)
        self.commands = {one.name: one for one in commands(root) if one.effect.looks or limits.allow(one)}

    def schema(self, command: Command) -> dict[str, Any]:
        """Return the input of a tool."""
        return input_schema(command, may_change=self._limits.allow(command))

    async def use(self, name: str, arguments: Mapping[str, Any], report: Report) -> dict[str, Any]:
        """Call a tool. Returns its answer, or with `error` why there is none."""
        try:
            command = self._command(name)
            if "plan_id" in arguments:
                return await self._apply(command, arguments, report)
            if command.changes(arguments):
                return await self._plan(command, arguments, report)
            return _told(await call(command_line(command, arguments, ()), report))
        except QfcError as error:
            return {"error": {"code": error.code, "message": error.message, "hint": error.hint}}

    def _command(self, name: str) -> Command:
        if name not in self.commands:
            raise UsageError(f"There is no tool {name:.60}.", hint="List the tools; the server may be limited to some.")
        return self.commands[name]

    async def _plan(self, command: Command, arguments: Mapping[str, Any], report: Report) -> dict[str, Any]:
        """Return what a call would do, and the id with which it can be done."""
        self._require(command)
        answer = await self._rehearse(command, arguments, report)
        if answer.is_error:
            return _told(answer)
        plan = self._plans.add(command.name, _own(arguments), answer.document)
        return {**_told(answer), "plan_id": plan.id, "valid_s": LIFETIME_S, "changed": False}

    async def _apply(self, command: Command, arguments: Mapping[str, Any], report: Report) -> dict[str, Any]:
        """Do what was planned, if it still is what would happen."""
        self._require(command)
        plan = self._plans.take(str(arguments["plan_id"]), command.name, _own(arguments))
        rehearsed = await self._rehearse(command, plan.arguments, report)
        check(plan, rehearsed.document)
        answer = await call(command_line(command, plan.arguments, ("--yes",)), report)
        return {**_told(self._without_secrets(command, answer)), "changed": not answer.is_error}

    async def _rehearse(self, command: Command, arguments: Mapping[str, Any], report: Report) -> Answer:
        return await call(command_line(command, arguments, ("--dry-run",)), report)

    def _require(self, command: Command) -> None:
        if not self._limits.allow(command):
            raise RefusedError(
                f"This server may not change anything with {command.path}.",
                hint="Ask the operator to start it without --read-only, or with --allow " + command.group,
            )

    def _without_secrets(self, command: Command, answer: Answer) -> Answer:
        """Put what only the operator may see into files of theirs, instead of into the answer."""
        secrets = {key: self._kept(command, answer.document[key]) for key in SECRETS if answer.document.get(key)}
        return Answer(answer.exit_code, {**answer.document, **secrets})

    def _kept(self, command: Command, secret: object) -> str:
        path = self._folder / f"{command.name}-{os.urandom(4).hex()}.txt"
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        replace_file(path, f"{secret}\n".encode(), mode=0o600)
        return f"in the file {path} on the operator's machine"


def _own(arguments: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in arguments.items() if name != "plan_id"}


def _told(answer: Answer) -> dict[str, Any]:
    if answer.is_error:
        return {"exit_code": answer.exit_code, **answer.document}
    return {"exit_code": answer.exit_code, "answer": answer.document}
