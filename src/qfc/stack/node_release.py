"""A release of the node: of this package, and of the PostgreSQL that it brings."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class NodeRelease:
    """`program` is the Python that runs it; `postgres` the server's major release, None where another server is used.

    Two that differ in their program alone are the same release, installed at two places.
    """

    version: str
    postgres: int | None
    program: str = ""

    def __str__(self) -> str:
        return self.version if self.postgres is None else f"{self.version} (PostgreSQL {self.postgres})"

    def is_same(self, other: NodeRelease) -> bool:
        """Return whether nothing distinguishes them, wherever they are installed."""
        return (self.version, self.postgres) == (other.version, other.postgres)
