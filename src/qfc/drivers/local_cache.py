"""What is remembered between calls in our own folder for a stack: nice to have, so nothing ever fails for it.

Files that only their owner reads. What cannot be read counts as not known, what cannot be written is left out.
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
    """Make a thing of each line, one JSON object, of a file. A line that was cut off is left out."""
    with suppress(OSError), path.open(encoding="utf-8", errors="replace") as file:
        for line in file:
            with suppress(ValueError, KeyError, TypeError, AttributeError):
                yield make(json.loads(line))


@contextmanager
def alone(path: Path) -> Generator[bool]:
    """Tell whether no other process is at a file; none begins before the end of the block. Nobody waits for it."""
    descriptor = None
    try:
        descriptor = _locked(path.with_suffix(".mutex"))
        yield descriptor is not None
    finally:
        if descriptor is not None:
            os.close(descriptor)


def _locked(path: Path) -> int | None:
    """Open a file and lock it; None when another process has, or when it cannot be opened."""
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
