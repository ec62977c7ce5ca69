"""The logs of an embedded stack: read from their files, parsed, merged in order of time, and followed."""

from __future__ import annotations

import contextlib
import heapq
import os
import time
from collections import deque
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

from ....stack.model import LogLine
from ...log_lines import parse

POLL_S = 0.2
#: Bytes to read at a time from the end of a log.
BLOCK = 64 * 1024
EARLIEST = datetime.min.replace(tzinfo=UTC)


def read(files: Sequence[tuple[str, Path]], *, lines: int, since: datetime | None) -> Iterator[LogLine]:
    """Yield the last `lines` lines of all services together, 0 for every line, in order of time.

    `files` are (service, path of its log); rotated parts (`app.log.1`) are read with it.
    """
    sources = [_dated(service, path, lines) for service, path in files]
    merged = heapq.merge(*sources, key=lambda pair: pair[0])
    wanted = (line for moment, line in merged if since is None or moment >= since)
    yield from deque(wanted, maxlen=lines) if lines else wanted


def _dated(service: str, path: Path, lines: int) -> Iterator[tuple[datetime, LogLine]]:
    """Yield lines with their sort time: their own, else that of the previous line."""
    moment = EARLIEST
    for text in last_texts(path, lines) if lines else _texts(path):
        line = parse(service, path.stem, text)
        moment = max(moment, line.time or moment)
        yield moment, line


def _parts(path: Path) -> list[Path]:
    """Return the rotated parts of a log and the log itself, the oldest first."""
    return [*sorted(path.parent.glob(f"{path.name}.*"), key=lambda part: -int(part.suffix[1:] or 0)), path]


def _texts(path: Path) -> Iterator[str]:
    for part in _parts(path):
        with contextlib.suppress(FileNotFoundError), part.open(encoding="utf-8", errors="replace") as file:
            yield from (line.rstrip("\n") for line in file)


def last_texts(path: Path, count: int) -> list[str]:
    """Return the last lines of one log, read from its end."""
    texts: list[str] = []
    for part in reversed(_parts(path)):
        texts = [*_tail(part, count - len(texts)), *texts]
        if len(texts) >= count:
            break
    return texts


def _tail(path: Path, count: int) -> list[str]:
    content = b""
    with contextlib.suppress(FileNotFoundError), path.open("rb") as file:
        position = file.seek(0, os.SEEK_END)
        while position > 0 and content.count(b"\n") <= count:
            step = min(BLOCK, position)
            position = file.seek(position - step)
            content = file.read(step) + content
    return content.decode("utf-8", errors="replace").splitlines()[-count:] if count else []


class Follower:
    """Yields lines as they are written, across rotation. Begins at the end of the files at its creation."""

    def __init__(self, files: Sequence[tuple[str, Path]]) -> None:
        self._files = list(files)
        self._seen = {path: self._mark(path) for _, path in self._files}
        self._rest: dict[Path, str] = {}

    def lines(self) -> Iterator[LogLine]:
        """Yield lines until the caller stops."""
        while True:
            fresh = [line for service, path in self._files for line in self._fresh(service, path)]
            yield from sorted(fresh, key=lambda line: line.time or EARLIEST)
            if not fresh:
                time.sleep(POLL_S)

    def _fresh(self, service: str, path: Path) -> Iterator[LogLine]:
        node, size = self._mark(path)
        seen_node, position = self._seen.get(path, (0, 0))
        if node != seen_node or size < position:
            position = 0
        if size == position:
            return
        with path.open("rb") as file:
            file.seek(position)
            content = file.read(size - position)
        self._seen[path] = (node, position + len(content))
        *whole, rest = (self._rest.get(path, "") + content.decode("utf-8", errors="replace")).split("\n")
        self._rest[path] = rest
        yield from (parse(service, path.stem, text) for text in whole)

    @staticmethod
    def _mark(path: Path) -> tuple[int, int]:
        try:
            entry = path.stat()
        except FileNotFoundError:
            return 0, 0
        return entry.st_ino, entry.st_size
