"""The nginx of a deployment, told to read its configuration again."""

from __future__ import annotations

from ...errors import CommandError
from ...stack.ports import Clock
from ...stack.waiting import wait_until
from ..docker.containers import Container
from ..docker.engine import Engine, error_line

#: So long workers of the old configuration are waited for. They begin to leave within a second, on a busy host later.
RELOAD_S = 15.0
POLL_S = 0.5
_WORKER, _LEAVING = "nginx: worker process", "shutting down"


def reload_nginx(engine: Engine, clock: Clock, container: Container) -> None:
    """Let nginx read its configuration again, after it has found it good. Raises CommandError with what it says.

    nginx returns before it has done so: what comes after this finds no worker of the old configuration that takes
    connections. Requests that these have begun are not waited for.
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
    """Return nginx's workers: process ids, and what `ps` says of each."""
    lines = engine.query(["docker", "top", container.id]).stdout.splitlines()
    return {line.split()[1]: line for line in lines if _WORKER in line}


def is_leaving(said: str) -> bool:
    """Tell whether a worker takes no more connections, from what `ps` says of it."""
    return _LEAVING in said


def _taking(seen: dict[str, str]) -> set[str]:
    return {pid for pid, said in seen.items() if not is_leaving(said)}


def _fault(said: str) -> str:
    """Return the line of `nginx -t` that names file and line; the one after it only says that the test failed."""
    faults = [line for line in said.splitlines() if "[emerg]" in line]
    return error_line(faults[0] if faults else said)
