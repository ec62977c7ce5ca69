"""A10: a key of the application that is empty."""

from __future__ import annotations

import secrets

from ..stack.upgrade_stops import referenced
from .base import Auto, DeploymentCheck, Severity
from .env_repairs import RepairsEnv, Values
from .evidence import Evidence
from .releases import compose_text
from .shipped import SEALS


class EmptyKeys(DeploymentCheck, RepairsEnv):
    """A10: the application starts, but signs sessions and encrypts secrets of projects with nothing."""

    id = "A10-empty"
    title = "A key of the application is empty"
    severity = Severity.CRITICAL
    fix = "Set SECRET_KEY and SALT_KEY to random values before secrets are stored; then: qfc services recreate"
    auto = Auto.ASK

    def look(self, seen: Evidence) -> str | None:
        """Read the keys in .env, as far as the Compose files pass them on."""
        empty = self._empty(seen)
        return f"Empty: {', '.join(empty)}." if empty else None

    def corrected(self, seen: Evidence) -> Values:
        """Return random values; none while secrets are encrypted with the empty ones."""
        if seen.conditions.server.oldest_secret() is not None:
            return {}
        return {name: secrets.token_hex(32) for name in self._empty(seen)}

    def _empty(self, seen: Evidence) -> list[str]:
        bare, _ = referenced(compose_text(seen))
        return [name for name in SEALS if name in bare and not seen.settings().get(name, "").strip()]
