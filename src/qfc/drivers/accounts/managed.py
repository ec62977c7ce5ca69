"""Accounts of the node on this machine. Its management commands read passwords from standard input."""

from __future__ import annotations

from ...errors import CommandError
from ...stack.ports import Accounts, Runtime

APP = "app"
COMMAND_S = 120.0


class ManagedAccounts(Accounts):
    """Creates and changes accounts with `createuser` and `setpassword`."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime

    def create(self, username: str, *, email: str, password: str, superuser: bool) -> None:
        argv = ["createuser", f"--username={username}", f"--email={email}", "--password-stdin"]
        self._run([*argv, *(["--superuser"] if superuser else [])], password)

    def set_password(self, username: str, password: str) -> None:
        self._run(["setpassword", "--password-stdin", "--", username], password)

    def _run(self, argv: list[str], password: str) -> None:
        try:
            self._runtime.execute(APP, argv, stdin=password.encode(), timeout_s=COMMAND_S)
        except CommandError as error:
            told = error.message.rpartition("CommandError: ")[2]
            raise CommandError(told, hint=error.hint) from None
