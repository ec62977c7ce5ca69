"""Limits at the nginx of a deployment.

Two files are in the deployment's folder of fragments, and survive whatever happens to containers. A third one is in
nginx's container and only includes the first: zones have to be defined outside of servers, and no folder of the host is
included there. A container that is created again lacks it; nothing is limited then, and a check reports that.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from datetime import datetime
from pathlib import PurePosixPath

from ...errors import NotFoundError, QfcError, RefusedError
from ...stack.model import LogLine
from ...stack.nginx_limits import PROBE_HEADER, answer, read, refused, zones
from ...stack.ports import Clock, RateLimiter, Traffic
from ...stack.rate_limits import RateLimits, RefusedSyncs
from ..deployment.nginx import reload_nginx
from ..deployment.traffic import INCLUDED, NGINX
from ..docker.containers import Container
from ..docker.engine import Engine

ZONES, ANSWER = "qfc-ratelimit.http", "qfc-ratelimit.conf"
HOOK = "/etc/nginx/conf.d/qfc-ratelimit.conf"
#: Says whether nginx's master can read a file; any other code may mean that no container runs.
_READS, UNREADABLE = '[ ! -e "$1" ] || [ -r "$1" ] || exit 4', 4
#: A pattern: a file that is gone is no error.
_INCLUDE = f"include {INCLUDED}/qfc-ratelimit*.http;"
_PASSWORD_BYTES = 16
SECRET = 0o600
#: Reads the lines of one service since a time.
Lines = Callable[[str, datetime], Iterable[LogLine]]


class NginxRateLimits(RateLimiter):
    """The limits of one deployment. `nginx` returns its current container."""

    def __init__(
        self, engine: Engine, clock: Clock, nginx: Callable[[], Container], traffic: Traffic, lines: Lines
    ) -> None:
        self._engine, self._clock, self._nginx, self._traffic, self._lines = engine, clock, nginx, traffic, lines

    def refusal(self) -> str | None:
        return self._traffic.refusal()

    def wanted(self) -> RateLimits:
        return self._kept()[0]

    def in_force(self) -> bool:
        return self._kept()[0].is_empty or self._has_hook()

    def apply(self, limits: RateLimits) -> None:
        reason = self.refusal()
        if reason is not None:
            raise RefusedError(f"Nothing can be limited: {reason}.", hint="Mount ./conf/nginx/config.d there.")
        had, password, hooked = *self._kept(), self._has_hook()
        try:
            self._install(limits, password or secrets.token_hex(_PASSWORD_BYTES))
        except QfcError:
            with suppress(QfcError):
                self._restore(had, password, hooked)
            raise

    def refused(self, since: datetime) -> tuple[RefusedSyncs, ...]:
        return refused(self._lines(NGINX, since))

    def passes(self) -> Mapping[str, str]:
        """Return the header with the password of the file; nothing without limits."""
        try:
            password = self._kept()[1]
        except QfcError:
            return {}
        return {PROBE_HEADER: password} if password else {}

    def _install(self, limits: RateLimits, password: str) -> None:
        self._write(limits, password)
        self._set_hook(not limits.is_empty)
        reload_nginx(self._engine, self._clock, self._nginx())

    def _restore(self, limits: RateLimits, password: str, hooked: bool) -> None:
        """Put the earlier files back. nginx has refused the new ones, so it still works by the earlier ones."""
        self._write(limits, password)
        self._set_hook(hooked)

    def _write(self, limits: RateLimits, password: str) -> None:
        folder = self._folder()
        if limits.is_empty:
            self._engine.run(["rm", "-f", str(folder / ZONES), str(folder / ANSWER)])
            return
        self._engine.machine.write_bytes(folder / ANSWER, answer().encode(), mode=0o644)
        self._write_zones(folder / ZONES, zones(limits, password).encode())

    def _write_zones(self, path: PurePosixPath, content: bytes) -> None:
        """Write the file with the password for its owner alone, if nginx's master can read that: as root it can."""
        self._engine.machine.write_bytes(path, content, mode=SECRET)
        argv = ["docker", "exec", self._nginx().id, "sh", "-c", _READS, "sh", f"{INCLUDED}/{ZONES}"]
        if self._engine.query(argv, check=False).exit_code == UNREADABLE:
            self._engine.machine.write_bytes(path, content, mode=0o644)

    def _set_hook(self, wanted: bool) -> None:
        script = f"printf '%s\\n' '{_INCLUDE}' > {HOOK}" if wanted else f"rm -f {HOOK}"
        self._engine.run(["docker", "exec", self._nginx().id, "sh", "-c", script])

    def _has_hook(self) -> bool:
        argv = ["docker", "exec", self._nginx().id, "test", "-e", HOOK]
        return self._engine.query(argv, check=False).exit_code == 0

    def _kept(self) -> tuple[RateLimits, str]:
        """Return the limits of the file, and its password; nothing without a file. Raises QfcError."""
        path = self._folder() / ZONES
        try:
            return read(self._engine.machine.read_bytes(path).decode())
        except NotFoundError:
            return RateLimits(), ""
        except ValueError as error:
            raise QfcError(
                f"{path} was not written by qfc: {error}.", hint="Remove it, then type: qfc ratelimit disable"
            ) from error

    def _folder(self) -> PurePosixPath:
        mounts = self._nginx().mounts
        if INCLUDED not in mounts:
            raise NotFoundError(f"The service {NGINX} has no folder of the host mounted at {INCLUDED}.")
        return PurePosixPath(mounts[INCLUDED])
