"""Repairs that change lines of a deployment's `.env`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from ..errors import RefusedError
from ..stack.redaction import shown
from .base import Check
from .evidence import Evidence

Values = Mapping[str, str]


class RepairsEnv(Check):
    """Its repair changes lines of `.env`, keeps a copy of the old file beside it, and makes services anew."""

    #: The services that read these lines; None are all.
    services: Sequence[str] | None = None
    #: Whether its repair is more than lines and services, and so none of several at once.
    is_alone: ClassVar[bool] = False

    def corrected(self, seen: Evidence) -> Values:
        """Return the lines as they would be right; none where that cannot be told from here."""
        raise NotImplementedError

    def readers(self, seen: Evidence) -> Sequence[str] | None:
        """Return the services that read these lines; None are all."""
        del seen
        return self.services

    def difference(self, seen: Evidence) -> tuple[str, ...]:
        """Return the lines as they are and would be, secrets hidden. Raises RefusedError where that cannot be told."""
        corrected = self.known(seen)
        now = seen.settings()
        pairs = ((name, now.get(name) or "not set", value) for name, value in corrected.items())
        return tuple(f"{name}: {shown(name, old)} → {shown(name, new)}" for name, old, new in pairs)

    def repair(self, seen: Evidence) -> None:
        """Change the lines, and make the services that read them anew."""
        edit = EnvEdit()
        edit.add(self, seen)
        edit.write(seen)

    def known(self, seen: Evidence) -> Values:
        """Return the lines as they would be right. Raises RefusedError where that cannot be told."""
        corrected = self.corrected(seen)
        if not corrected:
            raise RefusedError("What is right cannot be told from here.", hint=self.fix)
        return corrected


@dataclass
class EnvEdit:
    """Lines that several checks want otherwise, one after the other, and who reads them."""

    values: dict[str, str] = field(default_factory=dict[str, str])
    readers: set[str] | None = field(default_factory=set[str])

    def add(self, check: RepairsEnv, seen: Evidence) -> None:
        """Add those of one check, which has seen those of the checks before it. Raises RefusedError."""
        self.values.update(check.known(seen))
        readers = check.readers(seen)
        self.readers = None if readers is None or self.readers is None else self.readers | set(readers)

    def write(self, seen: Evidence) -> None:
        """Change them at once, and recreate the services that read them."""
        seen.ports.deployment.settings.change(self.values)
        readers = self.readers
        seen.ports.runtime.recreate(None if readers is None else [one for one in seen.services() if one in readers])
