"""The server as its clients see it: accounts, the HTTP API, and the store with the bytes of files."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, BinaryIO, Protocol

if TYPE_CHECKING:
    from ..model import ApiAnswer, ApiRequest


class Accounts(Protocol):
    """User accounts, created and changed by the application itself, which keeps hashes and dependent rows correct.

    Every method raises CommandError with the application's message when it refuses. Passwords never appear in a process
    list.
    """

    def create(self, username: str, *, email: str, password: str, superuser: bool) -> None:
        """Create a user account; a superuser can also use the admin."""
        ...

    def set_password(self, username: str, password: str) -> None:
        """Set a user's password, and end all their tokens."""
        ...


class ObjectStore(Protocol):
    """The store with the bytes of files."""

    def put(self, key: str, content: BinaryIO) -> int:
        """Store bytes under a key, all or nothing; return their number."""
        ...

    def get(self, key: str) -> BinaryIO:
        """Open the bytes of a key. Raises NotFoundError."""
        ...

    def keys(self, prefix: str = "") -> Iterator[tuple[str, int]]:
        """Yield (key, size in bytes) of everything stored under a prefix, sorted by key."""
        ...

    def delete(self, key: str) -> None:
        """Remove a key; harmless when it does not exist."""
        ...


class Api(Protocol):
    """The stack's HTTP API, as its clients reach it."""

    @property
    def url(self) -> str:
        """The address of the server, without a trailing slash."""
        ...

    def send(self, request: ApiRequest, *, timeout_s: float = 30, sink: BinaryIO | None = None) -> ApiAnswer:
        """Send a request; return the answer, whatever its status. The body of a 2xx answer goes to `sink`, if given.

        Raises UnreachableError when no answer arrives in time, or the answer is cut off.
        """
        ...

    def get(self, path: str, *, timeout_s: float = 5) -> ApiAnswer:
        """Send a GET; return the answer, whatever its status. Raises UnreachableError when none arrives in time."""
        ...
