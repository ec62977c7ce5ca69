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

    services: Sequence[str] = ()
    #: Whether its repair is more than lines and services, and so none of several at once.
    is_alone: ClassVar[bool] = False

    def corrected(self, seen: Evidence) -> Values:
        """Return the lines as they would be right; none where that cannot be told from here."""
        raise NotImplementedError

    def readers(self, seen: Evidence) -> Sequence[str]:
        """Return the services that read these lines; none are all."""
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
    readers: list[Sequence[str]] = field(default_factory=list[Sequence[str]])

    def add(self, check: RepairsEnv, seen: Evidence) -> None:
        """Add those of one check, which has seen those of the checks before it. Raises RefusedError."""
        self.values.update(check.known(seen))
        self.readers.append(check.readers(seen))

    def write(self, seen: Evidence) -> None:
        """Change them at once, and make their readers anew; readers without names are all services."""
        seen.ports.deployment.settings.change(self.values)
        everybody = not all(self.readers)
        named = {name for one in self.readers for name in one}
        present = [] if everybody else [name for name in seen.services() if name in named]
        # No names would be all services.
        if present or everybody:
            seen.ports.runtime.recreate(present)
