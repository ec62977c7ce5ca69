"""This machine."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePath

from ...errors import NotFoundError, QfcError
from ...stack.model import CommandResult, Disk
from .. import commands
from ..files import replace_file


class LocalHost:
    """Runs commands and keeps files on this machine."""

    name = "local"

    def run(
        self,
        argv: Sequence[str],
        *,
        stdin: bytes | None = None,
        environment: Mapping[str, str] | None = None,
        timeout_s: float | None = None,
        check: bool = True,
    ) -> CommandResult:
        """Run a command to its end; `environment` is added to our own. Raises CommandError."""
        merged = {**os.environ, **(environment or {})}
        return commands.run(argv, environment=merged, stdin=stdin, timeout_s=timeout_s, check=check)

    def read_bytes(self, path: PurePath) -> bytes:
        """Return a file's content. Raises NotFoundError."""
        try:
            return Path(path).read_bytes()
        except FileNotFoundError as error:
            raise NotFoundError(f"There is no file {path}.") from error
        except OSError as error:
            raise QfcError(f"{path} cannot be read.") from error

    def write_bytes(self, path: PurePath, content: bytes, *, mode: int = 0o644) -> None:
        """Replace a file's content atomically; the file never exists with wider rights than `mode`."""
        try:
            replace_file(Path(path), content, mode=mode)
        except OSError as error:
            raise QfcError(f"{path} cannot be written.", hint="Check free space and rights.") from error

    def disk(self, path: PurePath) -> Disk:
        """Return the space of the file system that holds the path, or would hold it."""
        place = next(folder for folder in (Path(path), *Path(path).parents) if folder.exists())
        usage = shutil.disk_usage(place)
        return Disk(usage.free, usage.total)
