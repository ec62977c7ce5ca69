"""The current state of an embedded stack's services."""

from __future__ import annotations

import socket
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from urllib.parse import urlsplit

from ....errors import NotRunningError, UnreachableError
from ....stack.api_status import STATUS
from ....stack.model import Health, Instance, Service, ServiceState
from ...api import HttpApi
from . import history
from .layout import Layout
from .listening import listens
from .measure import Measurement, Usage
from .programs import APP, DATABASE, WORKER, worker_name
from .state import EmbeddedState
from .supervisor import ProcessInfo, Supervisor

PROBE_TIMEOUT_S = 2
STATES = {
    "RUNNING": ServiceState.RUNNING,
    "STOPPING": ServiceState.RUNNING,
    "STARTING": ServiceState.RUNNING,
    "BACKOFF": ServiceState.RESTARTING,
    "EXITED": ServiceState.RESTARTING,
    "STOPPED": ServiceState.STOPPED,
    "FATAL": ServiceState.STOPPED,
}


def wanted_processes(state: EmbeddedState, *, with_database: bool) -> dict[str, tuple[str, ...]]:
    """Return the intended processes of each service."""
    database = {DATABASE: (DATABASE,)} if with_database else {}
    return {**database, APP: (APP,), WORKER: tuple(worker_name(number) for number in state.workers)}


def services(
    layout: Layout, wanted: Mapping[str, Sequence[str]], url: str | None, *, measured: bool = True
) -> tuple[Service, ...]:
    """Return all services with state, health, and if `measured` processor and memory use."""
    try:
        processes = Supervisor(layout.supervisor_socket).processes()
    except NotRunningError:
        return _without_supervisor(layout, wanted)
    measurement = Measurement([info.pid for info in processes.values() if info.pid]) if measured else None
    pasts, app = history.read(layout.history), processes.get(APP)
    healths = {service: _health(service, layout, url, app.pid if app else None) for service in wanted}
    usages = measurement.usages() if measurement is not None else {}
    return tuple(
        _service(
            name, healths[name], names, [_instance(processes[one], usages, pasts) for one in names if one in processes]
        )
        for name, names in wanted.items()
    )


def _service(name: str, health: Health, names: Sequence[str], instances: list[Instance]) -> Service:
    states = {instance.state for instance in instances}
    order = (ServiceState.RUNNING, ServiceState.RESTARTING, ServiceState.STOPPED)
    state = next((one for one in order if one in states), ServiceState.MISSING if names else ServiceState.STOPPED)
    return Service(
        name, state, health if state is ServiceState.RUNNING else Health.UNKNOWN, len(names), tuple(instances)
    )


def _instance(info: ProcessInfo, usages: Mapping[int, Usage], pasts: Mapping[str, history.Past]) -> Instance:
    past = pasts.get(info.name, history.Past())
    usage = usages.get(info.pid or 0, Usage(None, None))
    return Instance(
        id=info.name,
        state=STATES.get(info.state, ServiceState.UNKNOWN),
        pid=info.pid,
        uptime_s=round(time.time() - info.started_at, 1) if info.pid else None,
        cpu_percent=usage.cpu_percent,
        memory_bytes=usage.memory_bytes,
        restarts=past.restarts,
        exit_code=past.exit_code,
    )


def _without_supervisor(layout: Layout, wanted: Mapping[str, Sequence[str]]) -> tuple[Service, ...]:
    """Without supervisord every service counts as stopped, even if its process outlived it: nothing restarts it."""
    state = ServiceState.STOPPED if layout.exists else ServiceState.MISSING
    return tuple(Service(name, state, Health.UNKNOWN, len(names)) for name, names in wanted.items())


def _health(service: str, layout: Layout, url: str | None, app: int | None) -> Health:
    if service == DATABASE:
        return _listens(layout.database_sockets)
    if service == APP:
        return Health.HEALTHY if url is not None and serves_well(app, url) else Health.UNHEALTHY
    return Health.NONE


def serves_well(pid: int | None, url: str) -> bool:
    """Return whether this process serves the API at the URL, and the API reports itself healthy."""
    if not listens(pid, urlsplit(url).port or 0):
        return False
    try:
        return HttpApi(url).get(STATUS, timeout_s=PROBE_TIMEOUT_S).status == 200
    except UnreachableError:
        return False


def _listens(folder: Path) -> Health:
    probe = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    probe.settimeout(PROBE_TIMEOUT_S)
    try:
        probe.connect(str(folder / ".s.PGSQL.5432"))
    except OSError:
        return Health.UNHEALTHY
    finally:
        probe.close()
    return Health.HEALTHY
