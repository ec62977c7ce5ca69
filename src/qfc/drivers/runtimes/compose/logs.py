"""The logs of containers: merged in order of time, and followed."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime

from ....stack.model import LogLine
from ....stack.ports import Machine
from ...docker.containers import Container, moment
from ...log_lines import parse

#: Without a time span, filters search this many of each container's last lines.
LOOKED_THROUGH = 50_000
_STAMP = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)) ?(.*)", re.S)
#: `app-1  | ` and `app_1  | `, as Compose writes them; `qfieldcloud-app-1 | ` for some releases.
_PREFIX = re.compile(r"\s*(\S+)\s*\| ?(.*)", re.S)
_COLOURS = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
_READ = """
since=$1 tail=$2
shift 2
for id; do
    echo "@log $id"
    docker logs --timestamps ${since:+--since "$since"} --tail "$tail" "$id" 2>&1
done
"""
EARLIEST = datetime.min.replace(tzinfo=UTC)


def reading(containers: Sequence[Container], *, lines: int, since: datetime | None) -> list[str]:
    """Return the command that prints the last lines of containers, one container after another."""
    tail = str(lines) if lines else "all" if since else str(LOOKED_THROUGH)
    return ["sh", "-c", _READ, "sh", since.isoformat() if since else "", tail, *(one.id for one in containers)]


def merged(
    printed: Iterable[str], containers: Sequence[Container], *, lines: int, since: datetime | None
) -> Iterator[LogLine]:
    """Yield the lines of that output in order of time: the last `lines` of all, 0 for every line.

    A line without a time, such as the rest of one with a carriage return in it, stays after the previous one.
    """
    by_id = {one.id: one for one in containers}
    reached: dict[str, datetime] = {}
    dated: list[tuple[datetime, LogLine]] = []
    for container, text in _by_container(printed, by_id):
        line = stamped(container.service, container.name, text)
        reached[container.id] = line.time or reached.get(container.id, EARLIEST)
        dated.append((reached[container.id], line))
    dated.sort(key=lambda pair: pair[0])
    wanted = (line for at, line in dated if since is None or at >= since)
    return iter(deque(wanted, maxlen=lines)) if lines else wanted


def follow(machine: Machine, argv: Sequence[str], names: Mapping[str, str]) -> Iterator[LogLine]:
    """Yield lines as Compose prints them until the caller stops. `names` maps its prefixes to services."""
    with machine.start(argv) as process:
        for raw in process.stdout:
            text = _COLOURS.sub("", raw.decode("utf-8", errors="replace")).rstrip("\r\n")
            found = _PREFIX.match(text)
            if found:
                yield stamped(_service(found[1], names), found[1], found[2])


def stamped(service: str, instance: str, text: str) -> LogLine:
    """Read a line that the engine prefixed with a time; that time counts: the line's own may lack a time zone."""
    found = _STAMP.match(text)
    line = parse(service, instance, found[2] if found else text)
    at = moment(found[1]) if found else line.time
    return LogLine(service, instance, at, line.level, line.text, line.job_id)


def _by_container(printed: Iterable[str], by_id: Mapping[str, Container]) -> Iterator[tuple[Container, str]]:
    current: Container | None = None
    for line in printed:
        if line.startswith("@log "):
            current = by_id.get(line[5:].strip())
        elif current is not None:
            yield current, line


def _service(prefix: str, names: Mapping[str, str]) -> str:
    """Return the service of a prefix: its beginning, or the service of the container with that name."""
    if prefix in names:
        return names[prefix]
    return re.sub(r"[-_]\d+$", "", prefix)
