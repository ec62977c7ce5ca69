"""Probes of other servers, from the host or from inside a container."""

from __future__ import annotations

from collections.abc import Callable
from importlib import resources
from urllib.parse import urlsplit

from ...errors import CommandError, NotFoundError, UsageError
from ...stack.model import CommandResult, MailServer, Reached, Vantage
from ...stack.ports.diagnosis import NetworkInspection
from .containers import Container
from .engine import Engine

#: Seconds to wait for the answer of a server.
LIMIT_S = 5
#: The exit code of the scripts when no suitable program is installed.
_NO_PROGRAM = 69
_LOOK_UP = """
if command -v getent >/dev/null 2>&1; then getent ahosts "$1" 2>/dev/null || getent hosts "$1"
elif command -v python3 >/dev/null 2>&1; then
    python3 -c 'import socket, sys
for one in socket.getaddrinfo(sys.argv[1], None): print(one[4][0])' "$1" 2>/dev/null
else exit 69
fi
exit 0
"""
# The application is written in Python, so Python is always present.
_GREET = """
command -v python3 >/dev/null 2>&1 || exit 69
exec python3 -c 'import smtplib, sys
host, port, limit, kind = sys.argv[1:]
try:
    with getattr(smtplib, kind)(host, int(port), "localhost", timeout=float(limit)) as server:
        server.ehlo()
        print(" ".join(server.esmtp_features).upper())
except Exception as error:
    print("!", error or type(error).__name__)
' "$@"
"""


class Reaching(NetworkInspection):
    """Sends requests from each vantage point.

    `running` returns a running container of a service, or raises NotFoundError.
    """

    def __init__(self, engine: Engine, running: Callable[[str], Container]) -> None:
        self._engine, self._running = engine, running

    def reach(self, vantage: Vantage, url: str) -> Reached:
        """Send a GET. Raises UsageError for an address with credentials: all accounts see arguments of commands."""
        if urlsplit(url).username is not None:
            raise UsageError("An address that contains credentials is not requested.")
        script = resources.files("qfc.drivers.docker").joinpath("reach.sh").read_text(encoding="utf-8")
        return parse(self._there(vantage, script, url, str(LIMIT_S)).stdout)

    def resolves(self, name: str, vantage: Vantage) -> tuple[str, ...]:
        """Return the distinct addresses of a host name."""
        printed = self._there(vantage, _LOOK_UP, name).stdout
        return tuple(dict.fromkeys(line.split()[0] for line in printed.splitlines() if line.strip()))

    def mail_server(self, host: str, port: int, *, encrypted: bool) -> MailServer:
        kind = "SMTP_SSL" if encrypted else "SMTP"
        printed = self._there(Vantage.APP, _GREET, host, str(port), str(LIMIT_S), kind).stdout.strip()
        if printed.startswith("!"):
            return MailServer(error=printed.removeprefix("!").strip().partition("\n")[0])
        return MailServer(tuple(printed.split()))

    def _there(self, vantage: Vantage, script: str, *words: str) -> CommandResult:
        argv = ["sh", "-c", script, "sh", *words]
        if vantage is not Vantage.HOST:
            argv = ["docker", "exec", self._running(vantage).id, *argv]
        done = self._engine.query(argv, check=False)
        if done.exit_code == _NO_PROGRAM:
            raise NotFoundError(
                f"{vantage} has no program to send a request with.", hint="Install one of: curl, python3, wget, getent"
            )
        if done.exit_code:
            raise CommandError(f"No request can be sent from {vantage}: exit code {done.exit_code}", said=done.stderr)
        return done


def parse(printed: str) -> Reached:
    """Read the output of the script: a status and seconds, or the reason for the missing answer."""
    last = printed.strip().rpartition("\n")[2]
    status, _, seconds = last.partition(" ")
    if status.isdigit():
        return Reached(int(status), ms=round(float(seconds) * 1000, 1) if seconds else None)
    return Reached(None, last.removeprefix("!").strip() or "no answer")
