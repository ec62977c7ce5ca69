"""Real SSH servers for tests: Debian's sshd with its own keys and configuration, on a free port of the loopback."""

from __future__ import annotations

import os
import pwd
import re
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from ports import free_port
from qfc.drivers.hosts.ssh import SshSettings

SSHD = shutil.which("sshd", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
ACCOUNT = pwd.getpwuid(os.getuid()).pw_name
IS_ROOT = os.geteuid() == 0

_CONFIGURATION = """
HostKey {folder}/host_key
PidFile {folder}/pid
AuthorizedKeysFile {folder}/authorized_keys
StrictModes no
UsePAM no
PermitRootLogin yes
KbdInteractiveAuthentication no
PasswordAuthentication {passwords}
PrintMotd no
MaxStartups 100
LogLevel VERBOSE
{more}
"""
_CLIENT = """
Host *
    UserKnownHostsFile {folder}/known_hosts
    GlobalKnownHostsFile /dev/null
    IdentityFile {folder}/key
    IdentitiesOnly yes
    IdentityAgent none
"""
# A mount name space in which only this sshd has other accounts than the machine's. Then the program.
_PRIVATE = 'mount --bind "$1/shadow" /etc/shadow && mount --bind "$1/passwd" /etc/passwd && shift && exec "$@"'


@dataclass
class SshServer:
    """An sshd and a client's configuration that knows it.

    `password` and `login_shell` need root: this sshd then has its own account. `through` are words before sshd's own
    command, such as `ip netns exec NAME`.
    """

    folder: Path
    address: str = "127.0.0.1"
    password: str = ""
    login_shell: str = ""
    through: Sequence[str] = ()
    more: str = ""
    port: int = 0
    _process: subprocess.Popen[bytes] | None = field(default=None, init=False)

    def start(self) -> None:
        """Make keys, start sshd and wait until it answers."""
        self.folder.mkdir(exist_ok=True)
        self.port = self.port or free_port()
        make_key(self.folder / "host_key")
        make_key(self.folder / "key")
        shutil.copy(self.folder / "key.pub", self.folder / "authorized_keys")
        (self.folder / "client").write_text(_CLIENT.format(folder=self.folder))
        self.know()
        self.run()

    def know(self) -> None:
        """Add the host key to the client's known hosts."""
        kind, key, *_ = (self.folder / "host_key.pub").read_text().split()
        (self.folder / "known_hosts").write_text(f"[{self.address}]:{self.port} {kind} {key}\n")

    def run(self) -> None:
        """Start sshd with the files in the folder."""
        assert SSHD
        passwords = "yes" if self.password else "no"
        text = _CONFIGURATION.format(folder=self.folder, passwords=passwords, more=self.more)
        (self.folder / "sshd_config").write_text(text)
        if IS_ROOT:
            Path("/run/sshd").mkdir(exist_ok=True)
        place = ["-o", f"ListenAddress={self.address}", "-p", str(self.port)]
        argv = [*self.through, *self._private(), SSHD, "-D", "-e", "-f", str(self.folder / "sshd_config"), *place]
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        self._wait_for_answer()

    def stop(self) -> None:
        """End sshd and every connection."""
        if self._process is None:
            return
        with suppress(psutil.NoSuchProcess):
            for process in [*psutil.Process(self._process.pid).children(recursive=True), self._process]:
                with suppress(psutil.NoSuchProcess):
                    process.kill()
        self._process.wait()
        self._process = None

    def end_connections(self) -> int:
        """Kill the server's side of every connection; return how many there were."""
        assert self._process
        connections = psutil.Process(self._process.pid).children()
        for process in connections:
            for one in [*process.children(), process]:
                with suppress(psutil.NoSuchProcess):
                    if one.name().startswith("sshd"):
                        one.kill()
        return len(connections)

    @property
    def log(self) -> str:
        """The log of sshd."""
        return (self.folder / "log").read_text(errors="replace")

    @property
    def logins(self) -> int:
        """The number of logins."""
        return len(re.findall(r"^Accepted \w+ for", self.log, re.MULTILINE))

    def settings(self, **more: object) -> SshSettings:
        """The suite's settings to reach this server with its key."""
        values = {"host": self.address, "user": ACCOUNT, "port": self.port, "config_file": self.folder / "client"}
        return SshSettings(**{**values, **more})  # pyright: ignore[reportArgumentType]

    def _private(self) -> list[str]:
        """Return the words before a command that give sshd its own accounts."""
        if not self.password and not self.login_shell:
            return []
        assert IS_ROOT
        fields = next(line for line in Path("/etc/passwd").read_text().splitlines() if line.startswith("root:")).split(
            ":"
        )
        fields[-1] = self.login_shell or fields[-1]
        others = [line for line in Path("/etc/passwd").read_text().splitlines() if not line.startswith("root:")]
        (self.folder / "passwd").write_text("\n".join([":".join(fields), *others]) + "\n")
        command = ["openssl", "passwd", "-6", "-stdin"]
        hashed = subprocess.run(command, input=self.password or "*", text=True, capture_output=True, check=True).stdout
        shadow = self.folder / "shadow"
        shadow.write_text(f"root:{hashed.strip()}:20000:0:99999:7:::\n")
        shadow.chmod(0o600)
        return ["unshare", "--mount", "sh", "-c", _PRIVATE, "sh", str(self.folder)]

    def _wait_for_answer(self) -> None:
        assert self._process
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline and self._process.poll() is None:
            with suppress(OSError), socket.create_connection((self.address, self.port), timeout=2) as probe:
                if probe.recv(4) == b"SSH-":
                    return
            time.sleep(0.02)
        raise AssertionError(f"sshd does not answer: {self.log}")


def make_key(path: Path) -> None:
    """Create a key pair; replace an existing one."""
    for old in (path, path.with_suffix(".pub")):
        old.unlink(missing_ok=True)
    command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "test", "-f", str(path)]
    subprocess.run(command, check=True)


@contextmanager
def running(server: SshServer) -> Iterator[SshServer]:
    """Run a server for a block."""
    server.start()
    try:
        yield server
    finally:
        server.stop()
