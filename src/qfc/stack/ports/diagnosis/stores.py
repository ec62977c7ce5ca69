"""What the file stores of a deployment hold."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from ...model import StoreContent


class StoreInspection(Protocol):
    """The S3 stores, as the application reaches them."""

    def contents(self) -> tuple[StoreContent, ...]:
        """Return what each S3 store holds. Raises QfcError where one cannot be asked."""
        ...

    def expire(self, *, days: int) -> None:
        """Let the stores with versions remove those that were deleted so many days ago, and no others."""
        ...
