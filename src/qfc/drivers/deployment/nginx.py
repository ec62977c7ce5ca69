"""Reloads the nginx of a deployment."""

from __future__ import annotations

from ...errors import CommandError
from ...stack.ports import Clock
from ...stack.waiting import wait_until
from ..docker.containers import Container
from ..docker.engine import Engine, error_line

#: Seconds to wait for workers of the old configuration. They begin to leave within a second, on a busy host later.
RELOAD_S = 15.0
POLL_S = 0.5
_WORKER, _LEAVING = "nginx: worker process", "shutting down"


def reload_nginx(engine: Engine, clock: Clock, container: Container) -> None:
    """Reload nginx, after a test of its configuration. Raises CommandError with its message.

    `nginx -s reload` returns early; this waits until no worker of the old configuration accepts connections. Requests
    that these workers still process are not waited for.
    """
    tested = engine.run(["docker", "exec", container.id, "nginx", "-t"], check=False, timeout_s=60)
    if tested.exit_code:
        raise CommandError(
            f"nginx rejects its configuration: {_fault(tested.stderr)}",
            hint="Correct the named file (in conf/nginx/config.d), then try again.",
            said=tested.stderr,
        )
    before = workers(engine, container)
    engine.run(["docker", "exec", container.id, "nginx", "-s", "reload"], timeout_s=60)
    wait_until(
        clock, lambda: before.keys().isdisjoint(_taking(workers(engine, container))), limit_s=RELOAD_S, poll_s=POLL_S
    )


def workers(engine: Engine, container: Container) -> dict[str, str]:
    """Return nginx's workers: process ids, each with its line of `ps`."""
    lines = engine.query(["docker", "top", container.id]).stdout.splitlines()
    return {line.split()[1]: line for line in lines if _WORKER in line}


def is_leaving(said: str) -> bool:
    """Return whether a worker no longer accepts connections, from its line of `ps`."""
    return _LEAVING in said


def _taking(seen: dict[str, str]) -> set[str]:
    return {pid for pid, said in seen.items() if not is_leaving(said)}


def _fault(said: str) -> str:
    """Return the message of `nginx -t` that names file and line; the next one only says that the test failed."""
    faults = [line for line in said.splitlines() if "[emerg]" in line]
    return error_line(faults[0] if faults else said)
