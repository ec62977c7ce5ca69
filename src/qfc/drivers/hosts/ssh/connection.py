"""One connection to a server, kept open by an ssh in the background for all the sessions that follow."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import weakref
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from threading import Lock

from ....errors import CommandError
from ... import commands
from . import arguments, failures
from .arguments import SshSettings
from .password import account, password_for, without_passwords

#: The path of a socket can have 107 bytes, and ssh adds up to 18 to it while it creates the socket.
_LONGEST_FOLDER = 60
#: Logging in takes longer than connecting: a jump host, a slow name service, an account on the network.
_LOGIN_FACTOR = 3
#: The message of ssh when the ssh to a jump host ended, or the server closed the connection at once.
_HUNG_UP = "kex_exchange_identification"


class Connection:
    """The connection opens on first use, opens again after a failure, and ends with `close` or with this process."""

    def __init__(self, settings: SshSettings) -> None:
        self.settings = settings
        self._folder: Path | None = None
        self._lock = Lock()
        self._end = weakref.finalize(self, lambda: None)

    @property
    def environment(self) -> dict[str, str]:
        """The environment of ssh itself."""
        return without_passwords(os.environ)

    def is_open(self) -> bool:
        """Return whether the ssh in the background is alive; this does not contact the server."""
        if self._folder is None:
            return False
        with socket.socket(socket.AF_UNIX) as probe:
            return probe.connect_ex(str(_socket(self._folder))) == 0

    def open(self) -> Path:
        """Connect, if not connected; return the connection's socket. Raises UnreachableError."""
        with self._lock:
            if self._folder is None or not self.is_open():
                self._end()
                self._folder = _private_folder()
                self._end = weakref.finalize(self, _end, self.settings, self._folder, self.environment)
                self._log_in(self._folder)
            return _socket(self._folder)

    def close(self) -> None:
        """End the connection and all of its sessions; closing twice is harmless."""
        with self._lock:
            self._end()
            self._folder = None

    def control(self, request: str, *details: str) -> None:
        """Control the open connection. Raises CommandError."""
        argv = arguments.control(self.settings, self.open(), request, *details)
        commands.run(argv, environment=self.environment, timeout_s=10, name=f"ssh -O {request}")

    def _log_in(self, folder: Path) -> None:
        environment = self.environment
        with ExitStack() as handing:
            if self.settings.password:
                asking = password_for(self.settings.password, self._account(), folder)
                environment |= handing.enter_context(asking)
            elif self.settings.interactive:
                environment["SSH_ASKPASS_REQUIRE"] = "never"
            said = self._failure(arguments.open_connection(self.settings, _socket(folder)), environment)
            if said and _HUNG_UP in said:
                said = self._failure(arguments.try_login(self.settings), environment) or said
        if said is not None:
            raise failures.unreachable(self.settings, said)

    def _account(self) -> str:
        argv = arguments.resolve(self.settings)
        try:
            return account(commands.run(argv, environment=self.environment, timeout_s=10).stdout)
        except CommandError as error:
            raise failures.unreachable(self.settings, error.said) from error

    def _failure(self, argv: Sequence[str], environment: Mapping[str, str]) -> str | None:
        """Return the output of ssh if it failed, None otherwise.

        Its output goes to a file: the ssh to a jump host may keep a pipe open for ever.
        """
        commands.echo(argv)
        settings = self.settings
        limit = None if settings.interactive else settings.connect_timeout_s * _LOGIN_FACTOR
        with tempfile.TemporaryFile() as words:
            started = _start(argv, environment, words.fileno(), own_session=limit is not None)
            try:
                exit_code = started.wait(limit)
            except subprocess.TimeoutExpired as error:
                raise failures.no_answer(settings) from error
            finally:
                _make_sure_of_end(started)
            words.seek(0)
            return words.read().decode(errors="replace") if exit_code != 0 else None


def _start(
    argv: Sequence[str], environment: Mapping[str, str], words: int, *, own_session: bool
) -> subprocess.Popen[bytes]:
    """Start ssh; in its own session it has no terminal to prompt on."""
    null = subprocess.DEVNULL
    try:
        return subprocess.Popen(
            argv, env=dict(environment), stdin=null, stdout=null, stderr=words, start_new_session=own_session
        )
    except OSError as error:
        raise CommandError("ssh cannot be started.", hint="Install OpenSSH's client: openssh-client.") from error


def _make_sure_of_end(started: subprocess.Popen[bytes]) -> None:
    """End ssh, and the ssh to a jump host with it."""
    if started.poll() is not None:
        return
    if os.getpgid(started.pid) == started.pid:
        os.killpg(started.pid, signal.SIGKILL)
    started.kill()
    started.wait()


def _private_folder() -> Path:
    """Create a folder that only we can access, with a path short enough for a socket."""
    usual = tempfile.gettempdir()
    return Path(tempfile.mkdtemp(prefix="qfc-", dir=usual if len(usual) <= _LONGEST_FOLDER else "/tmp"))


def _socket(folder: Path) -> Path:
    return folder / "ssh"


def _end(settings: SshSettings, folder: Path, environment: Mapping[str, str]) -> None:
    """End the ssh in the background and remove its files."""
    if _socket(folder).exists():
        argv = arguments.control(settings, _socket(folder), "exit")
        with suppress(CommandError):
            commands.run(argv, environment=environment, timeout_s=10, check=False)
    shutil.rmtree(folder, ignore_errors=True)
