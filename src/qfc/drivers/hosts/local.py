"""This machine."""

from __future__ import annotations

import logging
import os
import shlex
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePath

from ...errors import CommandError, NotFoundError, QfcError
from ...stack.model import CommandResult, Disk
from ..files import replace_file

log = logging.getLogger("qfc.commands")


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
        log.info("+ %s", shlex.join(argv))
        merged = {**os.environ, **(environment or {})}
        try:
            done = subprocess.run(
                argv, input=stdin or b"", env=merged, capture_output=True, timeout=timeout_s, check=False
            )
        except subprocess.TimeoutExpired as error:
            raise CommandError(f"{argv[0]} did not end within {timeout_s:g} s.") from error
        except OSError as error:
            raise CommandError(f"{argv[0]} cannot be started.", hint=f"Is {argv[0]} installed?") from error
        result = CommandResult(
            tuple(argv), done.returncode, done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace")
        )
        if check and result.exit_code != 0:
            raise failed(result)
        return result

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


def failed(result: CommandResult) -> CommandError:
    """Return the error for a command that ended badly, with the last line that it said."""
    said = (result.stderr.strip() or result.stdout.strip() or "it said nothing").splitlines()
    return CommandError(f"{Path(result.argv[0]).name} ended with exit code {result.exit_code}: {said[-1]}")
