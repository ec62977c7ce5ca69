"""Objects as files on a server that speaks SFTP; a key is a path below a folder there.

OpenSSH's client logs in, with the operator's keys, known hosts and jump hosts; paramiko speaks the protocol over it.
"""

from __future__ import annotations

import select
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import PurePosixPath
from stat import S_ISDIR
from typing import TYPE_CHECKING, Any, BinaryIO, TypeVar, cast

from ...errors import NotFoundError, QfcError, UnreachableError, UsageError
from ...files import HALF, half_of
from ...stack.ports import ObjectStore
from ..hosts.ssh import SshSettings
from ..hosts.ssh.arguments import subsystem
from ..hosts.ssh.connection import Connection

if TYPE_CHECKING:
    from paramiko.sftp_client import SFTPClient

Result = TypeVar("Result")
#: Objects up to this size are read into memory, larger ones into a temporary file.
IN_MEMORY = 4 * 1024 * 1024
FOLDER_MODE, FILE_MODE = 0o700, 0o600


@dataclass(frozen=True)
class Sftp:
    """A folder on a server; a relative one is below the account's home."""

    ssh: SshSettings
    folder: PurePosixPath

    @property
    def name(self) -> str:
        """The folder as people know it."""
        return f"sftp {self.ssh.name}:{self.folder}"


class SftpObjectStore(ObjectStore):
    """Stores objects on a server. Connects on first use, and again after the connection was lost."""

    def __init__(self, place: Sftp) -> None:
        self._place = place
        self._connection = Connection(place.ssh)
        self._stream: _Stream | None = None
        self._client: SFTPClient | None = None
        self._made: set[PurePosixPath] = set()
        self._lock = threading.RLock()

    def close(self) -> None:
        """End the connection; the next use opens another one."""
        with self._lock:
            self._hang_up()
            self._connection.close()

    def put(self, key: str, content: BinaryIO) -> int:
        """Store bytes under a key, all or nothing: under another name first, then renamed. Return their number."""
        path = self._path(key)
        half = str(half_of(path))
        with tempfile.SpooledTemporaryFile(IN_MEMORY) as whole:
            shutil.copyfileobj(content, whole)
            size = whole.tell()
            whole.seek(0)
            self._ask(key, lambda client: self._send(client, cast(BinaryIO, whole), half, path))
        return size

    def _send(self, client: SFTPClient, content: BinaryIO, half: str, path: PurePosixPath) -> None:
        self._make_folder(client, path.parent)
        try:
            client.putfo(content, half)
            client.chmod(half, FILE_MODE)
            client.posix_rename(half, str(path))
        except BaseException:
            with suppress(Exception):
                client.remove(half)
            raise

    def get(self, key: str) -> BinaryIO:
        path = str(self._path(key))
        buffer = cast(BinaryIO, tempfile.SpooledTemporaryFile(IN_MEMORY))  # noqa: SIM115 - it is the answer
        try:
            self._ask(key, lambda client: _fetch(client, path, buffer))
        except BaseException:
            buffer.close()
            raise
        buffer.seek(0)
        return buffer

    def keys(self, prefix: str = "") -> Iterator[tuple[str, int]]:
        for key, size in self._walk(PurePosixPath(prefix.rpartition("/")[0])):
            if key.startswith(prefix):
                yield key, size

    def delete(self, key: str) -> None:
        path = str(self._path(key))
        with suppress(NotFoundError):
            self._ask(key, lambda client: client.remove(path))

    def _walk(self, folder: PurePosixPath) -> Iterator[tuple[str, int]]:
        place = str(self._place.folder / folder)
        try:
            entries = self._ask(str(folder), lambda client: client.listdir_attr(place))
        except NotFoundError:
            return
        named = {f"{one.filename}/" if S_ISDIR(one.st_mode or 0) else one.filename: one for one in entries}
        for name in sorted(named):
            if name.endswith("/"):
                yield from self._walk(folder / name.rstrip("/"))
            elif not name.startswith(HALF):
                yield str(folder / name), named[name].st_size or 0

    def _make_folder(self, client: SFTPClient, folder: PurePosixPath) -> None:
        if folder in self._made or str(folder) in (".", "/"):
            return
        self._make_folder(client, folder.parent)
        try:
            client.stat(str(folder))
        except FileNotFoundError:
            with suppress(OSError):  # somebody else may have made it meanwhile
                client.mkdir(str(folder), FOLDER_MODE)
        self._made.add(folder)

    def _path(self, key: str) -> PurePosixPath:
        parts = PurePosixPath(key).parts
        if not parts or key.startswith("/") or ".." in parts or parts[-1].startswith(HALF):
            raise UsageError(f"{key!r} is not a valid key.", hint="Use relative names such as a/b/c.")
        return self._place.folder.joinpath(*parts)

    def _ask(self, key: str, question: Callable[[SFTPClient], Result]) -> Result:
        from paramiko.ssh_exception import SSHException

        with self._lock:
            try:
                return question(self._connected())
            except FileNotFoundError as error:
                raise NotFoundError(f"There is no object {key}.") from error
            except (EOFError, ConnectionError, SSHException) as error:
                self._hang_up()
                raise self._lost() from error
            except OSError as error:
                raise QfcError(
                    f"{self._place.name} refused {key}: {error.strerror or error}.",
                    hint="Check the account's rights and the free space there.",
                ) from error

    def _connected(self) -> SFTPClient:
        if self._client is None:
            from paramiko.sftp_client import SFTPClient

            socket = self._connection.open()
            self._stream = _Stream(subsystem(self._place.ssh, socket, "sftp"), self._connection.environment)
            # It needs of a channel what our stream has.
            self._client = SFTPClient(cast(Any, self._stream))
        return self._client

    def _hang_up(self) -> None:
        if self._stream is not None:
            self._stream.close()
        self._client, self._stream = None, None
        self._made.clear()

    def _lost(self) -> UnreachableError:
        return UnreachableError(
            f"{self._place.name} does not answer, or has no SFTP.", hint=f"Type: s{self._place.ssh.login[1:]}"
        )


def _fetch(client: SFTPClient, path: str, sink: BinaryIO) -> None:
    if S_ISDIR(client.stat(path).st_mode or 0):
        raise FileNotFoundError(path)
    client.getfo(path, sink)


class _Stream:
    """A session's two pipes, as far as paramiko needs a channel."""

    def __init__(self, argv: list[str], environment: dict[str, str]) -> None:
        pipe = subprocess.PIPE
        self._process = subprocess.Popen(
            argv, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL, env=environment, bufsize=0
        )
        assert self._process.stdin and self._process.stdout
        self._input, self._output = self._process.stdin, self._process.stdout

    def get_name(self) -> str:
        """Return what paramiko's log calls it."""
        return "sftp"

    def send(self, content: bytes) -> int:
        """Write; return how many bytes were taken."""
        return self._input.write(content) or 0

    def recv(self, size: int) -> bytes:
        """Read what there is; nothing at the end."""
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
