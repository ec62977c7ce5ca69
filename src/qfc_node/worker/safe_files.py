"""Open what a job left in its folder. A job may be hostile: nothing in the folder leads out of it."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path, PurePosixPath
from typing import BinaryIO

#: What opening says where there is no file, or a link.
_NOT_THERE = frozenset({errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.ENXIO, errno.EACCES, errno.ENAMETOOLONG})


class UnsafeFileError(OSError):
    """A job left something at a path where only a file of its own may be."""


def open_within(root: Path, name: str, *, links: int = 1) -> BinaryIO:
    """Open a regular file below `root` that has at most `links` names. Raises OSError, UnsafeFileError.

    No part of the path may be a symbolic link: it could lead to a secret that the worker can read.
    """
    parts = PurePosixPath(name).parts
    if not parts or parts[0] == "/" or ".." in parts:
        raise UnsafeFileError(f"{name!r} is not a path in the job's folder")
    try:
        file = _open(root, parts)
    except OSError as error:
        if error.errno in _NOT_THERE:
            raise UnsafeFileError(f"{name!r} is not there: {error.strerror}") from error
        raise
    status = os.fstat(file)
    if not stat.S_ISREG(status.st_mode) or status.st_nlink > links:
        os.close(file)
        raise UnsafeFileError(f"{name!r} is not a file of the job's own")
    return os.fdopen(file, "rb", buffering=0)


def _open(root: Path, parts: Sequence[str]) -> int:
    with ExitStack() as stack:
        folder = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        stack.callback(os.close, folder)
        for part in parts[:-1]:
            folder = os.open(part, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=folder)
            stack.callback(os.close, folder)
        # Without O_NONBLOCK, a named pipe would stop the worker.
        return os.open(parts[-1], os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=folder)


def read_within(root: Path, name: str, limit: int) -> bytes | None:
    """Return the last `limit` bytes of a file below `root`; None if a job left none there."""
    try:
        with open_within(root, name) as file:
            file.seek(max(0, os.fstat(file.fileno()).st_size - limit))
            return file.read(limit)
    except OSError:
        return None
