"""The host's memory, and the memory limit of a worker with its job."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence

from ...errors import QfcError
from ...stack.model import Instance, MemoryRoom
from ..docker.engine import Engine
from ..runtimes.compose.observer import Observer
from ..stored_setting import setting

WORKER = "worker_wrapper"
#: The limit of a job on an official server whose table of settings has no row for it.
OFFICIAL_LIMIT = "1000m"
LIMIT_KEY = "WORKER_QGIS_MEMORY_LIMIT"
#: The node's own limit, in bytes, and its default.
NODE_LIMIT, NODE_DEFAULT = "QFC_NODE_WORKER_MEMORY_LIMIT", 2 * 1024**3
UNITS = {"": 1, "b": 1, "k": 1024, "m": 1024**2, "g": 1024**3, "t": 1024**4}
_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([bkmgt]?)b?", re.IGNORECASE)


def memory_room(engine: Engine, observer: Observer, stored: Callable[[str], str | None]) -> MemoryRoom:
    """Return the memory that the host has for workers. `stored` returns a value of the application's settings."""
    total, available = host_memory(engine)
    workers = sum(one.memory_bytes or 0 for one in _workers(observer))
    environment = observer.environment(WORKER)
    limit = node_limit(environment) if _is_node(environment) else official_limit(stored(LIMIT_KEY))
    return MemoryRoom(total, max(total - available - workers, 0), limit)


def _workers(observer: Observer) -> Sequence[Instance]:
    return next((one.instances for one in observer.services() if one.name == WORKER), ())


def _is_node(environment: Mapping[str, str]) -> bool:
    """Return whether the workers are those of the embedded server, in containers."""
    module = environment.get("DJANGO_SETTINGS_MODULE", "")
    return "QFIELDCLOUD_QGIS_IMAGE_NAME" not in environment and "qfc_node" in module


def host_memory(engine: Engine) -> tuple[int, int]:
    """Return total and available memory of the host, in bytes."""
    printed = engine.query(["cat", "/proc/meminfo"]).stdout
    values = {line.partition(":")[0]: line.partition(":")[2].split() for line in printed.splitlines()}
    try:
        return int(values["MemTotal"][0]) * 1024, int(values["MemAvailable"][0]) * 1024
    except (KeyError, IndexError, ValueError) as error:
        raise QfcError(f"The memory of {engine.machine.name} cannot be read.") from error


def size(text: str) -> int | None:
    """Read a size in Docker's notation: 1000m, 1.5g, 1073741824."""
    found = _SIZE.fullmatch(text.strip())
    return int(float(found[1]) * UNITS[found[2].lower()]) if found else None


def official_limit(stored: str | None) -> int:
    """Return the limit of one job, from the value in an official server's table of settings."""
    value = setting(stored) if stored else None
    return size(str(value)) or size(OFFICIAL_LIMIT) or 0


def node_limit(environment: Mapping[str, str]) -> int:
    """Return the limit of one job of the node's workers."""
    return size(environment.get(NODE_LIMIT, "")) or NODE_DEFAULT
