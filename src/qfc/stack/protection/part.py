"""What every part of a protection can tell, and the names of the parts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Protocol

if TYPE_CHECKING:
    from ..ports import Ports

MONITOR, LIMITS, SCHEDULE, BACKUPS = "monitor", "limits", "schedule", "backups"
#: In the order in which they are put in place: the monitor last, which would look at what is half done.
NAMES = (BACKUPS, LIMITS, SCHEDULE, MONITOR)


class Part(Protocol):
    """A part as it is wanted.

    What somebody else put there in another way is there, and as wanted: we leave it alone.
    """

    name: ClassVar[str]

    @property
    def sentence(self) -> str:
        """What is done to put it in place."""
        ...

    @property
    def what(self) -> str:
        """What it consists of."""
        ...

    def document(self) -> dict[str, Any]:
        """Return it as JSON knows it."""
        ...

    def is_there(self, ports: Ports) -> bool:
        """Return whether it works, put there by whomever. Raises QfcError where nobody can look."""
        ...

    def is_whole(self, ports: Ports) -> bool:
        """Return whether all of it works, as it does where we put it there. Raises QfcError where nobody can look."""
        ...

    def is_as_wanted(self, ports: Ports) -> bool:
        """Return whether that which we put there is what is wanted now."""
        ...
