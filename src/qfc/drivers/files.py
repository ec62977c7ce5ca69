"""Writing files so that they are there as a whole or not at all."""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
from pathlib import Path

from ..errors import QfcError

#: What a system says when a disk, or somebody's share of it, is full.
FULL = frozenset({errno.ENOSPC, errno.EDQUOT})


def replace_file(path: Path, content: bytes, *, mode: int = 0o644) -> None:
    """Replace a file atomically; it never exists with wider rights than `mode`, and is on the disk afterwards.

    Raises OSError; then the file is as before.
    """
    half = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        with os.fdopen(os.open(half, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode & 0o600), "wb") as file:
            file.write(content)
            file.flush()
            os.fchmod(file.fileno(), mode)
            os.fsync(file.fileno())
        half.replace(path)
    finally:
        with contextlib.suppress(OSError):
            half.unlink(missing_ok=True)


def keep_file(path: Path, content: bytes, *, mode: int = 0o644) -> None:
    """Replace a file as `replace_file` does. Raises QfcError with what the system says of it."""
    try:
        replace_file(path, content, mode=mode)
    except OSError as error:
        said = error.strerror or type(error).__name__
        raise QfcError(f"{path} cannot be written: {said}.", hint="Check free space and rights.") from error


def append_line(path: Path, line: str, *, mode: int = 0o600) -> None:
    """Append one line to a file with a single write, so that lines of several writers never mix.

    A last line that a power failure cut off is closed first. Raises OSError, also for a disk that takes but a part.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, mode)
    try:
        size = os.fstat(descriptor).st_size
        whole = size == 0 or os.pread(descriptor, 1, size - 1) == b"\n"
        content = (b"" if whole else b"\n") + line.encode() + b"\n"
        if os.write(descriptor, content) < len(content):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
