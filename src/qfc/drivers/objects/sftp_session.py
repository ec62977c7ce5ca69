"""The two ends of an SFTP session: ssh's pipes, and temporary files of this machine."""

from __future__ import annotations

import os
import select
import subprocess
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, cast

from ...errors import QfcError

#: Objects up to this size are read into memory, larger ones into a temporary file.
IN_MEMORY = 4 * 1024 * 1024
FOLDER_MODE = 0o700


class Temporary:
    """A temporary file of this machine. Raises QfcError where it cannot be written: that is not the server's fault."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        with suppress(OSError):
            folder.mkdir(parents=True, exist_ok=True, mode=FOLDER_MODE)
        self.file = cast(BinaryIO, tempfile.SpooledTemporaryFile(IN_MEMORY, dir=str(folder)))  # noqa: SIM115

    def __enter__(self) -> Temporary:
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(OSError):
            self.file.close()

    def clear(self) -> None:
        """Begin again."""
        self.file.seek(0)
        self.file.truncate()

    def write(self, content: bytes) -> int:
        """Write."""
        try:
            return self.file.write(content)
        except OSError as error:
            raise QfcError(
                f"{self._folder} cannot take a temporary file: {error.strerror or error}.",
                hint="Check free space and permissions on this machine.",
            ) from error


class Stream:
    """A session's two pipes, as far as paramiko needs a channel."""

    def __init__(self, argv: list[str], environment: dict[str, str], silence_s: float) -> None:
        self._silence_s = silence_s
        pipe = subprocess.PIPE
        self._process = subprocess.Popen(
            argv, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL, env=environment, bufsize=0
        )
        assert self._process.stdin and self._process.stdout
        self._input, self._output = self._process.stdin, self._process.stdout
        os.set_blocking(self._input.fileno(), False)

    def get_name(self) -> str:
        """Return what paramiko's log calls it."""
        return "sftp"

    def send(self, content: bytes) -> int:
        """Write; return how many bytes were taken. Raises TimeoutError."""
        if not select.select([], [self._input], [], self._silence_s)[1]:
            raise TimeoutError
        return self._input.write(content) or 0

    def recv(self, size: int) -> bytes:
        """Read what there is; nothing at the end. Raises TimeoutError."""
        if not select.select([self._output], [], [], self._silence_s)[0]:
            raise TimeoutError
        return self._output.read(size) or b""

    def recv_ready(self) -> bool:
        """Return whether there is something to read."""
        return bool(select.select([self._output], [], [], 0)[0])

    def close(self) -> None:
        """End the session."""
        for stream in (self._input, self._output):
            with suppress(OSError):
                stream.close()
        self._process.terminate()
        self._process.wait()
