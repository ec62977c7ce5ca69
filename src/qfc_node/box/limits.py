"""Limits of a job's process that the kernel holds."""

from __future__ import annotations

import resource
from dataclasses import dataclass

#: Files that a job may have open at a time.
OPEN_FILES = 1024


@dataclass(frozen=True)
class Limits:
    """What one job may use: bytes of memory, bytes of one file, seconds of a processor."""

    memory_bytes: int
    file_bytes: int
    cpu_s: int


def set_limits(limits: Limits) -> None:
    """Limit this process for ever. It gets no further threads or processes, except as root. Raises OSError."""
    for kind, value in (
        (resource.RLIMIT_AS, limits.memory_bytes),
        (resource.RLIMIT_FSIZE, limits.file_bytes),
        (resource.RLIMIT_CPU, limits.cpu_s),
        (resource.RLIMIT_NOFILE, OPEN_FILES),
        (resource.RLIMIT_NPROC, 0),
        (resource.RLIMIT_CORE, 0),
    ):
        _lower(kind, value)


def _lower(kind: int, value: int) -> None:
    hard = resource.getrlimit(kind)[1]
    least = value if hard == resource.RLIM_INFINITY else min(value, hard)
    resource.setrlimit(kind, (least, least))
