"""Data that is remembered between calls in our own folder for a stack. Nothing ever fails because of it.

Only their owner can read the files. Data that cannot be read counts as unknown; data that cannot be written is dropped.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar

from ..files import append_line, replace_file

Thing = TypeVar("Thing")


def keep(path: Path, content: str) -> None:
    """Replace a file."""
    with suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        replace_file(path, content.encode(), mode=0o600)


def keep_line(path: Path, line: str) -> None:
    """Append a line to a file."""
    with suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        append_line(path, line)


def kept_lines(path: Path, make: Callable[[dict[str, Any]], Thing]) -> Iterator[Thing]:
    """Turn each line of a file, one JSON object, into a value. A line that was cut off is left out."""
    with suppress(OSError), path.open(encoding="utf-8", errors="replace") as file:
        for line in file:
            with suppress(ValueError, KeyError, TypeError, AttributeError):
                yield make(json.loads(line))


@contextmanager
def alone(path: Path) -> Generator[bool]:
    """Yield whether no other process uses a file; none can begin before the end of the block. This never waits."""
    descriptor = None
    try:
        descriptor = _locked(path.with_suffix(".mutex"))
        yield descriptor is not None
    finally:
        if descriptor is not None:
            os.close(descriptor)


def _locked(path: Path) -> int | None:
    """Open a file and lock it; None if another process holds the lock, or the file cannot be opened."""
    with suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(descriptor)
            raise
        return descriptor
    return None
