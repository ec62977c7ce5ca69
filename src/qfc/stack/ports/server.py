"""The server as its clients see it, and where the bytes of their files are."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO, Protocol

from ..model import ApiAnswer, ApiRequest


class Accounts(Protocol):
    """Accounts of people, made and changed by the application itself, so that hashing and all that follows are right.

    Raises CommandError with the application's own words when it refuses. Passwords are in no process list.
    """

    def create(self, username: str, *, email: str, password: str, superuser: bool) -> None:
        """Make the account of a person; a superuser may use the admin too."""
        ...

    def set_password(self, username: str, password: str) -> None:
        """Give a person another password and end all tokens."""
        ...


class ObjectStore(Protocol):
    """Where the bytes of files are."""

    def put(self, key: str, content: BinaryIO) -> int:
        """Store bytes under a key, all or nothing; return their number."""
        ...

    def get(self, key: str) -> BinaryIO:
        """Open the bytes of a key. Raises NotFoundError."""
        ...

    def keys(self, prefix: str = "") -> Iterator[tuple[str, int]]:
        """Yield (key, size in bytes) of everything stored under a prefix, in the order of keys."""
        ...

    def delete(self, key: str) -> None:
        """Remove a key; removing what is not there is harmless."""
        ...


class Api(Protocol):
    """The stack's HTTP API, as its clients reach it."""

    @property
    def url(self) -> str:
        """Return the address of the server, without a slash at its end."""
        ...

    def send(self, request: ApiRequest, *, timeout_s: float = 30, sink: BinaryIO | None = None) -> ApiAnswer:
        """Answer a request, whatever its status. A good answer's body goes to `sink` where one is given.

        Raises UnreachableError when nobody answers in time, or the answer breaks off.
        """
        ...

    def get(self, path: str, *, timeout_s: float = 5) -> ApiAnswer:
        """Answer a GET, whatever its status. Raises UnreachableError when nobody answers in time."""
        ...
