"""Objects as files on a server that speaks SFTP; a key is a path below a folder there.

OpenSSH's client logs in, with the operator's keys, known hosts and jump hosts; paramiko speaks the protocol over it.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from stat import S_ISDIR
from typing import TYPE_CHECKING, Any, BinaryIO, TypeVar, cast

from ...errors import NotFoundError, QfcError, UnreachableError, UsageError
from ...files import HALF, half_of
from ...stack.ports import ObjectStore
from ..hosts.ssh import SshSettings
from ..hosts.ssh.arguments import subsystem
from ..hosts.ssh.connection import Connection
from .sftp_session import FOLDER_MODE, Stream, Temporary

if TYPE_CHECKING:
    from paramiko.sftp_client import SFTPClient

Result = TypeVar("Result")
PIECE = 1024 * 1024
#: Seconds without a byte after which the server counts as lost: ssh only notices a lost network.
SILENCE_S = 120.0
#: Seconds after which what a lost connection left half is removed.
HALF_KEPT_S = 86400.0
FILE_MODE = 0o600


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
    """Stores objects on a server. Connects on first use, and again after the connection was lost.

    `spool` is a folder of this machine for large objects on their way. A server may end a session that is idle while a
    database is dumped: a question to a session that was open is asked again, once.
    """

    def __init__(self, place: Sftp, spool: Path, *, silence_s: float = SILENCE_S) -> None:
        self._place, self._spool, self._silence_s = place, spool, silence_s
        self._connection = Connection(place.ssh)
        self._stream: Stream | None = None
        self._client: SFTPClient | None = None
        self._made: set[PurePosixPath] = set()
        self._lock = threading.RLock()

    def close(self) -> None:
        """End the connection; the next use opens another one."""
        with self._lock:
            self._hang_up()

    def put(self, key: str, content: BinaryIO) -> int:
        """Store bytes under a key, all or nothing: under another name first, then renamed. Return their number."""
        path = self._path(key)
        half = str(half_of(path))
        with self._temporary() as whole:
            while piece := content.read(PIECE):
                whole.write(piece)
            size = whole.file.tell()
            try:
                self._ask(key, lambda client: self._send(client, whole.file, half, path))
            except NotFoundError as error:
                raise QfcError(
                    f"{self._place.name} has no folder for {key}, and none can be created.",
                    hint="Check the folder in the configuration, and the account's rights there.",
                ) from error
        return size

    def _temporary(self) -> Temporary:
        return Temporary(self._spool)

    def _send(self, client: SFTPClient, content: BinaryIO, half: str, path: PurePosixPath) -> None:
        content.seek(0)
        self._make_folder(client, path.parent)
        try:
            client.putfo(content, half)
            with suppress(OSError):  # some servers have no rights of files
                client.chmod(half, FILE_MODE)
            _rename(client, half, path)
        except FileNotFoundError:
            self._made.clear()  # somebody removed a folder
            raise
        except BaseException:
            with suppress(Exception):
                client.remove(half)
            raise

    def get(self, key: str) -> BinaryIO:
        path = str(self._path(key))
        buffer = self._temporary()
        try:
            self._ask(key, lambda client: _fetch(client, path, buffer))
        except BaseException:
            buffer.file.close()
            raise
        buffer.file.seek(0)
        return buffer.file

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
            elif name.startswith(HALF):
                self._forget_half(folder / name, named[name].st_mtime)
            else:
                yield str(folder / name), named[name].st_size or 0

    def _forget_half(self, path: PurePosixPath, written_at: int | None) -> None:
        """Remove what a connection that was lost has left, unless somebody may still be writing it."""
        if written_at is not None and time.time() - written_at > HALF_KEPT_S:
            with suppress(QfcError):
                self._ask(str(path), lambda client: client.remove(str(self._place.folder / path)))

    def _make_folder(self, client: SFTPClient, folder: PurePosixPath) -> None:
        if folder in self._made or str(folder) in (".", "/"):
            return
        self._make_folder(client, folder.parent)
        if not _is_there(client, folder):
            try:
                client.mkdir(str(folder), FOLDER_MODE)
            except OSError:
                if not _is_there(client, folder):  # nobody else has made it meanwhile
                    raise
        self._made.add(folder)

    def _path(self, key: str) -> PurePosixPath:
        parts = PurePosixPath(key).parts
        if not parts or key.startswith("/") or ".." in parts or parts[-1].startswith(HALF):
            raise UsageError(f"{key!r} is not a valid key.", hint="Use relative names such as a/b/c.")
        return self._place.folder.joinpath(*parts)

    def _ask(self, key: str, question: Callable[[SFTPClient], Result]) -> Result:
        from paramiko.ssh_exception import SSHException

        with self._lock:
            was_open = self._client is not None
            try:
                try:
                    return question(self._connected())
                except (EOFError, ConnectionError, SSHException):
                    if not was_open:
                        raise
                    self._hang_up()
                    return question(self._connected())
            except FileNotFoundError as error:
                raise NotFoundError(f"There is no object {key}.") from error
            except (EOFError, ConnectionError, TimeoutError, SSHException) as error:
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
            argv = subsystem(self._place.ssh, socket, "sftp")
            self._stream = Stream(argv, self._connection.environment, self._silence_s)
            # It needs of a channel what our stream has.
            self._client = SFTPClient(cast(Any, self._stream))
        return self._client

    def _hang_up(self) -> None:
        """End the session, and the connection: if it is lost, ssh may not know that yet."""
        if self._stream is not None:
            self._stream.close()
        self._client, self._stream = None, None
        self._made.clear()
        self._connection.close()

    def _lost(self) -> UnreachableError:
        return UnreachableError(
            f"{self._place.name} does not answer, or has no SFTP.", hint=f"Type: {self._place.ssh.login}"
        )


def _fetch(client: SFTPClient, path: str, sink: Temporary) -> None:
    if S_ISDIR(client.stat(path).st_mode or 0):
        raise FileNotFoundError(path)
    sink.clear()
    client.getfo(path, cast(BinaryIO, sink))


def _is_there(client: SFTPClient, folder: PurePosixPath) -> bool:
    try:
        client.stat(str(folder))
    except FileNotFoundError:
        return False
    return True


def _rename(client: SFTPClient, half: str, path: PurePosixPath) -> None:
    """Let a file take a name, also one that is taken. Not every server can do that at once."""
    try:
        client.posix_rename(half, str(path))
    except FileNotFoundError:
        raise
    except OSError:
        _rename_in_steps(client, half, path)


def _rename_in_steps(client: SFTPClient, half: str, path: PurePosixPath) -> None:
    aside = str(half_of(path))
    was_there = _is_there(client, path)
    if was_there:
        client.rename(str(path), aside)
    try:
        client.rename(half, str(path))
    except OSError:
        if was_there:
            client.rename(aside, str(path))
        raise
    if was_there:
        client.remove(aside)
