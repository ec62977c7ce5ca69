"""Command lines of OpenSSH's client. Nothing is run here."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from .launcher import LAUNCHER

#: The connection ends after this time without a session, so a killed `qfc` leaves none behind.
IDLE_S = 60


@dataclass(frozen=True)
class SshSettings:
    """The SSH settings of a server. `host` is a name, an address or an alias in the operator's `~/.ssh/config`.

    None leaves a value to that file; `config_file` replaces it. With `interactive` ssh may ask on the terminal.
    """

    host: str
    user: str | None = None
    port: int | None = None
    identity_file: Path | None = None
    config_file: Path | None = None
    password: str = field(default="", repr=False)
    interactive: bool = False
    connect_timeout_s: int = 10
    alive_interval_s: int = 5

    @property
    def name(self) -> str:
        """The server in the usual notation: user@host:port."""
        return f"{self.user}@" * bool(self.user) + self.host + f":{self.port}" * bool(self.port)

    @property
    def login(self) -> str:
        """The command with which an operator logs in by hand."""
        return shlex.join(["ssh", *_reaching(self), self.host])


def open_connection(settings: SshSettings, socket: Path) -> list[str]:
    """Return the command that connects, logs in, and goes to the background with a socket for `session`.

    It checks the server's host key whatever the operator's file says, and ignores the forwarding in that file.
    """
    background = ["-f", "-N", "-M", "-S", str(socket), "-o", f"ControlPersist={IDLE_S}"]
    return ["ssh", *background, *_login(settings)]


def try_login(settings: SshSettings) -> list[str]:
    """Return the command that only logs in: ssh in the background hides a jump host's messages."""
    return ["ssh", "-S", "none", *_login(settings), "true"]


def resolve(settings: SshSettings) -> list[str]:
    """Return the command that prints the settings as completed by the operator's configuration."""
    return ["ssh", "-G", *_reaching(settings), "--", settings.host]


def session(settings: SshSettings, socket: Path) -> list[str]:
    """Return the command that opens a session with our launcher on the open connection."""
    return [*_over(socket), "-T", "--", settings.host, LAUNCHER]


def subsystem(settings: SshSettings, socket: Path, name: str) -> list[str]:
    """Return the command that opens a subsystem of the server, such as sftp, on the open connection."""
    return [*_over(socket), "-T", "-s", "--", settings.host, name]


def terminal(settings: SshSettings, socket: Path, argv: Sequence[str]) -> list[str]:
    """Return the command that runs `argv` on the operator's terminal, on the open connection."""
    return [*_over(socket), "-t", "-q", "--", settings.host, f"exec {shlex.join(argv)}"]


def control(settings: SshSettings, socket: Path, request: str, *details: str) -> list[str]:
    """Return the command that controls the open connection: exit, or forward and cancel with `-L …`."""
    return ["ssh", "-F", "none", "-S", str(socket), "-O", request, *details, "--", settings.host]


def forwarding(local_port: int, address: str, port: int) -> tuple[str, str]:
    """Return the option that binds a port of this machine to one that the server reaches."""
    place = f"[{address}]" if ":" in address else address
    return "-L", f"127.0.0.1:{local_port}:{place}:{port}"


def _login(settings: SshSettings) -> list[str]:
    asks = settings.interactive or bool(settings.password)
    options = {
        "StrictHostKeyChecking": "yes",
        "ConnectTimeout": settings.connect_timeout_s,
        "ServerAliveInterval": settings.alive_interval_s,
        "ServerAliveCountMax": 3,
        "BatchMode": "no" if asks else "yes",
        "NumberOfPasswordPrompts": 3 if settings.interactive else 1,
        "ClearAllForwardings": "yes",
        "ForwardAgent": "no",
        "ForwardX11": "no",
        "PermitLocalCommand": "no",
        "RemoteCommand": "none",
        "LogLevel": "ERROR",
    }
    return ["-T", *_reaching(settings), *_options(options), "--", settings.host]


def _over(socket: Path) -> list[str]:
    """Return the beginning of a command that uses the open connection and never opens another one."""
    options = {"ControlMaster": "no", "BatchMode": "yes", "ProxyCommand": "false", "LogLevel": "ERROR"}
    return ["ssh", "-F", "none", "-S", str(socket), *_options(options), "-e", "none"]


def _reaching(settings: SshSettings) -> list[str]:
    wanted = [
        ("-F", settings.config_file),
        ("-l", settings.user),
        ("-p", settings.port),
        ("-i", settings.identity_file),
    ]
    return [text for option, value in wanted if value is not None for text in (option, str(value))]


def _options(options: Mapping[str, str | int]) -> list[str]:
    return [text for name, value in options.items() for text in ("-o", f"{name}={value}")]
