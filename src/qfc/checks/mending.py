"""Repairs that change lines of a deployment's `.env`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ..errors import RefusedError
from ..stack.redaction import HIDDEN, SECRET_NAME
from .base import Check
from .evidence import Evidence

Values = Mapping[str, str]


class MendsSettings(Check):
    """Its repair changes lines of `.env`, keeps a copy of the old file beside it, and makes services anew."""

    services: Sequence[str] = ()

    def mended(self, seen: Evidence) -> Values:
        """Return the lines as they would be right; none where that cannot be told from here."""
        raise NotImplementedError

    def readers(self, seen: Evidence) -> Sequence[str]:
        """Return the services that read these lines; none are all."""
        del seen
        return self.services

    def difference(self, seen: Evidence) -> tuple[str, ...]:
        """Return the lines as they are and would be, secrets hidden. Raises RefusedError where that cannot be told."""
        mended = self.known(seen)
        now = seen.settings()
        pairs = ((name, now.get(name) or "not set", value) for name, value in mended.items())
        return tuple(f"{name}: {_shown(name, old)} → {_shown(name, new)}" for name, old, new in pairs)

    def repair(self, seen: Evidence) -> None:
        """Change the lines, and make the services that read them anew."""
        seen.ports.deployment.settings.change(self.known(seen))
        readers = self.readers(seen)
        present = [name for name in readers if name in seen.services()]
        # No names would be all services.
        if present or not readers:
            seen.ports.runtime.recreate(present)

    def known(self, seen: Evidence) -> Values:
        """Return the lines as they would be right. Raises RefusedError where that cannot be told."""
        mended = self.mended(seen)
        if not mended:
            raise RefusedError("What is right cannot be told from here.", hint=self.fix)
        return mended


def _shown(name: str, value: str) -> str:
    return HIDDEN if SECRET_NAME.search(name) else value
