"""Objects as files on a WebDAV server; a key is a path below its URL."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import IO, TYPE_CHECKING, Any, BinaryIO, TypeVar, cast

from ...errors import NotFoundError, UnreachableError, UsageError
from ...files import HALF, half_of
from ...stack.ports import ObjectStore

if TYPE_CHECKING:
    from webdav4.client import Client

Result = TypeVar("Result")
TIMEOUT_S = 30
#: Objects up to this size are read into memory, larger ones into a temporary file.
IN_MEMORY = 4 * 1024 * 1024


@dataclass(frozen=True)
class WebDav:
    """The URL of a server, and the account on it."""

    url: str
    user: str = ""
    password: str = field(default="", repr=False)


class WebDavObjectStore(ObjectStore):
    """Stores objects on a WebDAV server."""

    def __init__(self, place: WebDav) -> None:
        self._place = place
        self._client = _client(place)

    def close(self) -> None:
        """Close the connections; the next use opens them again."""
        self._client.http.close()
        self._client = _client(self._place)

    def put(self, key: str, content: BinaryIO) -> int:
        """Store bytes under a key, all or nothing: under another name first, then moved. Return their number.

        The bytes are read to their end first: half an upload cannot be reliably removed from the server.
        """
        path = _path(key)
        half = str(half_of(PurePosixPath(path)))
        self._make_folders(PurePosixPath(path).parent)
        with tempfile.SpooledTemporaryFile(IN_MEMORY) as whole:
            shutil.copyfileobj(content, whole)
            size = whole.tell()
            whole.seek(0)
            self._send(key, whole, half, path)
        return size

    def _send(self, key: str, content: IO[bytes], half: str, path: str) -> None:
        try:
            self._ask(key, lambda: self._client.upload_fileobj(cast(BinaryIO, content), half, overwrite=True))
            self._ask(key, lambda: self._client.move(half, path, overwrite=True))
        except BaseException:
            with suppress(Exception):
                self._client.remove(half)
            raise

    def get(self, key: str) -> BinaryIO:
        path = _path(key)
        if self._ask(key, lambda: self._client.isdir(path)):
            raise NotFoundError(f"There is no object {key}.")
        buffer = cast(BinaryIO, tempfile.SpooledTemporaryFile(IN_MEMORY))  # noqa: SIM115 - it is the answer
        self._ask(key, lambda: self._client.download_fileobj(path, buffer))
        buffer.seek(0)
        return buffer

    def keys(self, prefix: str = "") -> Iterator[tuple[str, int]]:
        folder = prefix.rpartition("/")[0]
        for key, size in self._walk(folder):
            if key.startswith(prefix):
                yield key, size

    def delete(self, key: str) -> None:
        path = _path(key)
        with suppress(NotFoundError):
            self._ask(key, lambda: self._client.remove(path))

    def _walk(self, folder: str) -> Iterator[tuple[str, int]]:
        try:
            entries = self._ask(folder, lambda: self._client.ls(folder, detail=True, allow_listing_resource=False))
        except NotFoundError:
            return
        for name, entry in sorted((_sort_name(one), one) for one in cast("list[dict[str, Any]]", entries)):
            if name.endswith("/"):
                yield from self._walk(name.rstrip("/"))
            elif not PurePosixPath(name).name.startswith(HALF):
                yield name, int(entry["content_length"] or 0)

    def _make_folders(self, folder: PurePosixPath) -> None:
        if str(folder) in ("", ".") or self._ask(str(folder), lambda: self._client.exists(str(folder))):
            return
        self._make_folders(folder.parent)
        self._ask(str(folder), lambda: self._client.mkdir(str(folder)))

    def _ask(self, key: str, question: Callable[[], Result]) -> Result:
        import httpx
        from webdav4.client import ClientError, ResourceNotFound

        try:
            return question()
        except ResourceNotFound as error:
            raise NotFoundError(f"There is no object {key}.") from error
        except httpx.HTTPStatusError as error:
            if error.response.status_code == 404:
                raise NotFoundError(f"There is no object {key}.") from error
            raise self._unreachable(f"it answered {error.response.status_code}") from error
        except (ClientError, httpx.HTTPError) as error:
            raise self._unreachable(type(error).__name__) from error

    def _unreachable(self, why: str) -> UnreachableError:
        return UnreachableError(
            f"The WebDAV server {self._place.url} cannot be used: {why}.",
            hint="Check its address and account in STORAGES, and that it runs.",
        )


def _sort_name(entry: dict[str, Any]) -> str:
    """Return a sort key that places a folder where its content belongs."""
    name = str(entry["name"]).strip("/")
    return f"{name}/" if entry["type"] == "directory" else name


def _path(key: str) -> str:
    parts = PurePosixPath(key).parts
    if not parts or key.startswith("/") or ".." in parts or parts[-1].startswith(HALF):
        raise UsageError(f"{key!r} is not a valid key.", hint="Use relative names such as a/b/c.")
    return str(PurePosixPath(*parts))


def _client(place: WebDav) -> Client:
    from webdav4.client import Client  # imports httpx, which would slow a status down

    auth = (place.user, place.password) if place.user else None
    return Client(place.url, auth=auth, timeout=TIMEOUT_S, retry=False)
