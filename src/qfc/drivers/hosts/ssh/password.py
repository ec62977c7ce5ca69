"""Passes a password to ssh, through a pipe in a private folder and only to the prompt that it is meant for."""

from __future__ import annotations

import os
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path

from ....errors import ConfigError

#: Variables that may contain the password; commands never inherit them.
PASSWORD_VARIABLES = ("QFC_SSH_PASSWORD", "QFIELDCLOUD_VPS_PASSWORD")

#: A server may ask twice, as `keyboard-interactive` and as `password`, and a login may be tried twice.
_ANSWERS = 4

# Built-ins only, so the password is in no process list. A jump host or a locked key has another prompt.
_ASKPASS = """#!/bin/sh
case $1 in
"${QFC_SSH_ACCOUNT}'s password:"* | "(${QFC_SSH_ACCOUNT}) "*[Pp]assword*) ;;
*) exit 1 ;;
esac
IFS= read -r answer <"${0%/*}/answer" && printf '%s\\n' "$answer"
"""


def password_of(environment: Mapping[str, str]) -> str:
    """Return the password in the environment, empty without one."""
    return next((environment[name] for name in PASSWORD_VARIABLES if environment.get(name)), "")


def without_passwords(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the environment for commands."""
    return {name: value for name, value in environment.items() if name not in PASSWORD_VARIABLES}


@contextmanager
def password_for(password: str, account: str, folder: Path) -> Generator[dict[str, str]]:
    """Yield the variables that make ssh ask us for the password of `account` (user@host). Raises ConfigError.

    The password stays in memory: the pipe has a name in the private `folder`, but its content is never on disk.
    """
    if "\n" in password or "\0" in password:
        raise ConfigError(["The password for ssh has more than one line."], hint="Correct QFC_SSH_PASSWORD.")
    askpass, answer = folder / "askpass", folder / "answer"
    askpass.write_text(_ASKPASS)
    askpass.chmod(0o700)
    os.mkfifo(answer, 0o600)
    pipe = os.open(answer, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        os.write(pipe, (os.fsencode(password) + b"\n") * _ANSWERS)
        yield {
            "SSH_ASKPASS": str(askpass),
            "SSH_ASKPASS_REQUIRE": "force",
            "QFC_SSH_ACCOUNT": account,
            "DISPLAY": os.environ.get("DISPLAY", ":0"),
        }
    finally:
        os.close(pipe)
        answer.unlink()
        askpass.unlink()


def account(resolved: str) -> str:
    """Return user@host as ssh writes them in its prompts, from the output of `ssh -G`."""
    values = dict(line.split(" ", 1) for line in resolved.splitlines() if " " in line)
    return f"{values['user']}@{values.get('hostkeyalias') or values['hostname']}"
