"""Writing files so that they are there as a whole or not at all; `drivers.replacing` does it on other hosts."""

from __future__ import annotations

import errno
import os
import secrets
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path, PurePath
from typing import BinaryIO, TypeVar

from .errors import QfcError

#: How files begin that are being written. The rest of their names is short, whatever the file is called.
HALF = ".half-"
#: What a system says when a disk, or somebody's share of it, is full.
FULL = frozenset({errno.ENOSPC, errno.EDQUOT})

AnyPath = TypeVar("AnyPath", bound=PurePath)


def half_of(path: AnyPath) -> AnyPath:
    """Return a path beside a file for what is going to take its name."""
    return path.with_name(f"{HALF}{secrets.token_hex(8)}")


@contextmanager
def replacing(path: Path, *, mode: int | None, forced: bool = True) -> Generator[BinaryIO]:
    """Give a file to write that takes the name `path` when the block has ended well, and is on the disk then.

    Unless `forced`, the caller forces it there later: `force_file`, then `force_folder`.

    It never has wider rights than `mode`; None: those that the system gives a new file. Raises OSError, and then, as
    when the block fails, the file is as before.
    """
    half = half_of(path)
    try:
        descriptor = os.open(half, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o666 if mode is None else mode & 0o600)
        with os.fdopen(descriptor, "w+b") as file:
            yield file
            file.flush()
            if mode is not None:
                os.fchmod(file.fileno(), mode)
            if forced:
                os.fsync(file.fileno())
        half.replace(path)
        if forced:
            force_folder(path.parent)
    finally:
        with suppress(OSError):
            half.unlink(missing_ok=True)


def replace_file(path: Path, content: bytes, *, mode: int | None = 0o644) -> None:
    """Replace a file by `content` as `replacing` does. Raises OSError; then the file is as before."""
    with replacing(path, mode=mode) as file:
        file.write(content)


def keep_file(path: Path, content: bytes, *, mode: int = 0o644) -> None:
    """Replace a file as `replace_file` does. Raises QfcError with what the system says of it."""
    try:
        replace_file(path, content, mode=mode)
    except OSError as error:
        said = error.strerror or type(error).__name__
        raise QfcError(f"{path} cannot be written: {said}.", hint="Check free space and permissions.") from error


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


def force_file(path: Path) -> None:
    """Force the content of a file to the disk. Raises OSError."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def force_folder(folder: Path) -> None:
    """Force the names in a folder to the disk. Where that cannot be done the file is there all the same: no error."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
