"""Maintenance mode: the deployment's nginx blocks requests that change something.

A fragment in the folder that its server includes (`/etc/nginx/config.d`, as official deployments mount it) answers them
with 503 and `Retry-After`, whatever error pages the configuration has; clients try again. Requests that only read pass.
nginx tests the whole configuration before it is used.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import PurePosixPath

from ...errors import CommandError, QfcError, RefusedError
from ...stack.ports import Clock, Traffic
from ...stack.waiting import wait_until
from ..docker.containers import Container
from ..docker.engine import Engine
from .nginx import is_leaving, reload_nginx, workers

NGINX = "nginx"
INCLUDED = "/etc/nginx/config.d"
FRAGMENT = "qfc-hold.conf"
RETRY_AFTER_S = 30
POLL_S = 0.5
UPGRADE = "The server is being upgraded. Try again in a moment."
_SENTENCE = re.compile(r"[A-Za-z0-9_., -]+")
_PLAIN = re.compile(r"[A-Za-z0-9_./-]+")
_TEMPLATE = """# Created by qfc: writes are blocked during a change of release or a move. qfc removes this file.
# If it stays, type "qfc status".
set $qfc_asked "$request_method:$http_x_qfc_pass:$uri";
if ($qfc_asked !~ "^(GET|HEAD|OPTIONS):|{passes}") {{
  rewrite ^ /.qfc-hold last;
}}
location = /.qfc-hold {{
  internal;
  default_type application/json;
  add_header Retry-After {seconds} always;
  add_header Cache-Control no-store always;
  return 503 '{{"code":"maintenance","message":"{reason}"}}';
}}
"""


class NginxTraffic(Traffic):
    """Blocks writes at one deployment's nginx. `nginx` returns its current container."""

    def __init__(self, engine: Engine, clock: Clock, nginx: Callable[[], Container]) -> None:
        self._engine, self._clock, self._nginx = engine, clock, nginx
        self._before: frozenset[str] = frozenset()

    def refusal(self) -> str | None:
        try:
            container = self._nginx()
        except QfcError as error:
            return error.message
        if INCLUDED not in container.mounts:
            return f"the service {NGINX} has no folder of the host mounted at {INCLUDED}"
        script = 'grep -rqsE "include +[^;]*config\\.d/" /etc/nginx/conf.d /etc/nginx/nginx.conf'
        if self._engine.query(["docker", "exec", container.id, "sh", "-c", script], check=False).exit_code:
            return f"the configuration of {NGINX} does not include {INCLUDED}"
        return None

    def hold(self, password: str, paths: Sequence[str] = (), *, reason: str = "") -> None:
        """Block writes, except requests with the password or to one of the paths. Raises RefusedError."""
        refusal = self.refusal()
        if refusal is not None:
            raise RefusedError(f"Writes cannot be blocked: {refusal}.", hint="Mount ./conf/nginx/config.d there.")
        container = self._nginx()
        self._before |= workers(self._engine, container).keys()
        # Only the owner: the password lets through. nginx reads its configuration as root.
        try:
            self._put(container, fragment(password, paths, reason), mode=0o600)
        except CommandError as error:
            if "ermission denied" not in error.said:
                raise
            # Root of a container in its own user namespace is nobody on the host.
            self._put(container, fragment(password, paths, reason), mode=0o644)

    def _put(self, container: Container, text: str, *, mode: int) -> None:
        path = self._path(container)
        self._engine.machine.write_bytes(path, text.encode(), mode=mode)
        try:
            self._reload(container)
        except CommandError:
            self._engine.run(["rm", "-f", str(path)])
            raise

    def release(self) -> None:
        container = self._nginx()
        if INCLUDED in container.mounts:
            self._engine.run(["rm", "-f", str(self._path(container))])
        if container.status == "running":
            self._reload(container)

    def settle(self, timeout_s: float) -> bool:
        """Wait until the workers of nginx from before the block have answered their requests and ended.

        They continue for a moment after a reload, and only then report that they are shutting down.
        """
        return wait_until(self._clock, lambda: not self._has_old_workers(), limit_s=timeout_s, poll_s=POLL_S)

    def _has_old_workers(self) -> bool:
        now = workers(self._engine, self._nginx())
        return not self._before.isdisjoint(now) or any(is_leaving(said) for said in now.values())

    def _path(self, container: Container) -> PurePosixPath:
        return PurePosixPath(container.mounts[INCLUDED]) / FRAGMENT

    def _reload(self, container: Container) -> None:
        reload_nginx(self._engine, self._clock, container)


def fragment(password: str, paths: Sequence[str], reason: str = "") -> str:
    """Return the fragment. Passwords and paths are our own: letters, digits and a few other harmless characters."""
    for word in (password, *paths):
        if not _PLAIN.fullmatch(word):
            raise QfcError(f"{word[:8]!r}… cannot be put into nginx's configuration.")
    if not _SENTENCE.fullmatch(reason or UPGRADE):
        raise QfcError("The reason cannot be put into nginx's configuration.")
    passes = "|".join([f":{re.escape(password)}:", *(f":.*{re.escape(path)}" for path in paths)])
    return _TEMPLATE.format(passes=passes, seconds=RETRY_AFTER_S, reason=reason or UPGRADE)
