"""Repairs that change lines of a deployment's `.env`."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from ..errors import RefusedError
from ..stack.redaction import shown
from .base import Check
from .evidence import Evidence

Values = Mapping[str, str]


class RepairsEnv(Check):
    """A check whose repair changes lines of `.env`, keeps a copy of the old file next to it and recreates services."""

    #: The services that read these lines; None means all.
    services: Sequence[str] | None = None
    #: Whether its repair does more than change lines and recreate services, and so cannot be combined with others.
    is_alone: ClassVar[bool] = False

    @abstractmethod
    def corrected(self, seen: Evidence) -> Values:
        """Return the lines with their correct values; none where these are not known."""

    def readers(self, seen: Evidence) -> Sequence[str] | None:
        """Return the services that read these lines; None means all."""
        del seen
        return self.services

    def difference(self, seen: Evidence) -> tuple[str, ...]:
        """Return the lines before and after, secrets hidden. Raises RefusedError where the values are not known."""
        corrected = self.known(seen)
        now = seen.settings()
        pairs = ((name, now.get(name) or "not set", value) for name, value in corrected.items())
        return tuple(f"{name}: {shown(name, old)} → {shown(name, new)}" for name, old, new in pairs)

    def repair(self, seen: Evidence) -> None:
        """Change the lines, and recreate the services that read them."""
        edit = EnvEdit()
        edit.add(self, seen)
        edit.write(seen)

    def known(self, seen: Evidence) -> Values:
        """Return the lines with their correct values. Raises RefusedError where these are not known."""
        corrected = self.corrected(seen)
        if not corrected:
            raise RefusedError("qfc does not know the correct value.", hint=self.fix)
        return corrected


@dataclass
class EnvEdit:
    """The changes that several checks make to `.env`, one after the other, and the services that read them."""

    values: dict[str, str] = field(default_factory=dict[str, str])
    readers: set[str] | None = field(default_factory=set[str])

    def add(self, check: RepairsEnv, seen: Evidence) -> None:
        """Add the changes of a check that has seen those of the checks before it.

        Raises RefusedError where it does not know the correct values.
        """
        self.values.update(check.known(seen))
        readers = check.readers(seen)
        self.readers = None if readers is None or self.readers is None else self.readers | set(readers)

    def write(self, seen: Evidence) -> None:
        """Change all lines at once, and recreate the services that read them."""
        seen.ports.deployment.settings.change(self.values)
        readers = self.readers
        seen.ports.runtime.recreate(None if readers is None else [one for one in seen.services() if one in readers])
