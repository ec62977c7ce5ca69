"""A snapshot of all containers of a deployment, read from the output of `snapshot.sh`."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib import resources
from pathlib import PurePosixPath

from ...errors import QfcError
from ...stack.model import Disk, QueueDepth
from ..hosts.disk_space import parse_disk
from .containers import PROJECT, WORKING_DIR, Container, container

#: Columns of the query for the depth of the queue, as one JSON object.
DEPTH_COLUMNS = ("pending", "queued", "started", "oldest_pending_s")
_TIME = re.compile(r"@time (\d+)")


@dataclass(frozen=True)
class Use:
    """The resources of a container's processes: percent of one core over a moment, bytes, kills for lack of memory."""

    cpu_percent: float | None = None
    memory_bytes: int | None = None
    oom_kills: int | None = None


@dataclass(frozen=True)
class Snapshot:
    """A deployment at one moment. `at` is the host's clock; `files` are checksums of the files that define it.

    `depth` is None when the database was not asked or did not answer. `interrupted` names the operation that was
    interrupted and that no operator is running now.
    """

    at: datetime
    containers: tuple[Container, ...] = ()
    uses: Mapping[int, Use] = field(default_factory=dict[int, Use])
    disks: tuple[Disk, ...] = ()
    files: Mapping[str, str] = field(default_factory=dict[str, str])
    depth: QueueDepth | None = None
    interrupted: str | None = None


def by_project(name: str) -> str:
    """Return the label of the containers of a Compose project."""
    return f"{PROJECT}={name}"


def by_folder(folder: PurePosixPath) -> str:
    """Return the label of the containers of the deployment in a folder."""
    return f"{WORKING_DIR}={folder}"


def command(label: str, folder: PurePosixPath, *, depth_query: str = "") -> list[str]:
    """Return the command that takes the snapshot."""
    script = resources.files("qfc.drivers.docker").joinpath("snapshot.sh").read_text(encoding="utf-8")
    return ["sh", "-c", script, "sh", label, str(folder), depth_query]


def parse(printed: str) -> Snapshot:
    """Read the output of the script. Raises QfcError when it is unexpected or incomplete."""
    first, _, rest = printed.partition("\n")
    found = _TIME.fullmatch(first)
    if not found:
        raise QfcError(f"The host printed unexpected output: {first[:100]!r}")
    try:
        return _read(datetime.fromtimestamp(int(found[1]), UTC), rest.split("\n"))
    except (ValueError, KeyError, IndexError, TypeError) as error:
        # The output may contain secrets.
        raise QfcError("The host printed unexpected or incomplete output.") from error


def _read(at: datetime, lines: Iterable[str]) -> Snapshot:
    containers: list[Container] = []
    parts: dict[str, list[list[str]]] = {}
    for line in lines:
        if line.startswith("@"):
            name, *words = line.split()
            parts.setdefault(name, []).append(words)
        elif "{" in line:
            containers.append(container(json.loads(line[line.index("{") :])))
    return Snapshot(
        at=at,
        containers=tuple(one for one in containers if not one.is_of_job),
        uses=_uses(parts.get("@use", [])),
        disks=tuple(parse_disk(" ".join(words)) for words in parts.get("@disk", [])),
        files=_checksums(parts),
        depth=_depth(parts.get("@depth", [])),
        interrupted=next((" ".join(words) for words in parts.get("@interrupted", [])), None),
    )


def _checksums(parts: Mapping[str, list[list[str]]]) -> dict[str, str]:
    """Return the checksums of the folder's files by name, and of files of variables elsewhere by path."""
    own = {PurePosixPath(" ".join(words[2:])).name: words for words in parts.get("@file", [])}
    named = {" ".join(words[2:]): words for words in parts.get("@named", [])}
    return {name: f"{words[0]}-{words[1]}" for name, words in (own | named).items()}


def _depth(answers: Iterable[list[str]]) -> QueueDepth | None:
    for words in answers:
        document = json.loads(" ".join(words))
        if set(DEPTH_COLUMNS) <= document.keys():
            return QueueDepth(**{name: document[name] for name in DEPTH_COLUMNS})
    return None


def _uses(samples: Iterable[list[str]]) -> dict[int, Use]:
    """Turn two samples per process into its use; a single one has no share of the processor."""
    by_pid: dict[int, list[list[str]]] = {}
    for pid, *sample in samples:
        by_pid.setdefault(int(pid), []).append(sample)
    return {pid: _use(found) for pid, found in by_pid.items()}


def _use(samples: list[list[str]]) -> Use:
    first, last = samples[0], samples[-1]
    elapsed_s = float(last[0]) - float(first[0])
    share = None
    if elapsed_s > 0 and first[1] != "-" and last[1] != "-":
        share = round((int(last[1]) - int(first[1])) / elapsed_s / 1e7, 1)
    return Use(share, *(None if value == "-" else int(value) for value in last[2:4]))
