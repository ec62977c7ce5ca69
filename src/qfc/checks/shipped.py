"""Secrets of `.env` that everybody knows, because they are in the examples. A value is never shown."""

from __future__ import annotations

import re
import secrets
from collections.abc import Sequence

from ..errors import QfcError
from ..stack.passwords import DATABASE, OWN_STORE, with_store_password
from ..stack.redaction import HIDDEN
from .base import Auto, DeploymentCheck, Severity
from .env_repairs import RepairsEnv, Values
from .evidence import Evidence

#: The keys that encrypt the secrets of projects.
SEALS = ("SECRET_KEY", "SALT_KEY")
WORKER = "worker_wrapper"
STORE_SERVICES = frozenset({"minio", "rustfs"})
#: What templates have in place of every secret.
PLACEHOLDER = re.compile(r"<?change[_-]?(?:me|it)>?|replace[_-]?me", re.IGNORECASE)
#: By the variable: values of examples. A placeholder is one for all of them.
SHIPPED = {
    "SECRET_KEY": (),
    "SALT_KEY": (),
    DATABASE: ("3shJDd2r7Twwkehb", "postgres"),
    "MINIO_ROOT_PASSWORD": ("minioadmin",),
    "STORAGE_SECRET_ACCESS_KEY": ("minioadmin",),
    "OBJECT_STORAGE_ROOT_PASSWORD": ("rustfsadmin", "minioadmin"),
    "WEBDAV_PASSWORD": ("qfc_webdav_pwd",),
}
#: A service that reads a variable: where the deployment lacks it, the value does not matter.
ONLY_OF = {"WEBDAV_PASSWORD": "webdav"}
SHIPPED_SALT = "0123456789abcdefghijklmnopqrstuvwxyz"


def shipped(values: Values) -> list[str]:
    """Return the names of secrets that still have the value of an example."""
    return [name for name in SHIPPED if _is_shipped(name, values.get(name, ""))]


def _is_shipped(name: str, value: str) -> bool:
    if PLACEHOLDER.fullmatch(value) or value in SHIPPED[name]:
        return True
    return name == "SALT_KEY" and value.startswith(SHIPPED_SALT[:13])


def passwords(values: Values, *, has_store: bool) -> Values:
    """Return random new passwords for the database and the store.

    A store that is not part of the deployment does not read `.env`, and is not recreated: its password is left alone.
    """
    found = shipped(values)
    changed = {DATABASE: _random()} if DATABASE in found else {}
    own = next((name for name in OWN_STORE if name in found and has_store), None)
    return {**changed, **with_store_password(values, values[own], _random())} if own else changed


def has_own_store(seen: Evidence) -> bool:
    """Return whether the Compose files define the store; no where they cannot be read."""
    return not STORE_SERVICES.isdisjoint(_defined(seen))


def _defined(seen: Evidence) -> frozenset[str]:
    """Return the services in the Compose files; none where these cannot be read."""
    try:
        return frozenset(seen.once("facts", lambda: seen.ports.deployment.rollout.facts()).images)
    except QfcError:
        return frozenset()


def _random() -> str:
    """Return a password that needs no quotes anywhere: letters and digits."""
    return secrets.token_hex(24)


class ShippedSecrets(DeploymentCheck):
    """A10: only the operator can change the keys that encrypt secrets, and the password of an external store."""

    id = "A10"
    title = "Secrets from the example are in use"
    severity = Severity.WARNING
    fix = "Change a store's password in the store and in .env; SECRET_KEY and SALT_KEY only before the first start"

    def look(self, seen: Evidence) -> str | None:
        """Look for secrets from the example that no repair replaces."""
        values = seen.settings()
        replaced = passwords(values, has_store=has_own_store(seen))
        mine = [name for name in shipped(values) if name not in replaced and _matters(seen, name)]
        return _as_shipped([name for name in mine if name not in SEALS or not _is_new(seen)])


class ShippedPasswords(DeploymentCheck, RepairsEnv):
    """A10: everybody who has read the example can log in to the database and the store."""

    id = "A10-passwords"
    title = "Passwords from the example are in use"
    severity = Severity.WARNING
    fix = "Give the database and the store new passwords: qfc doctor --fix"
    auto = Auto.ASK
    is_alone = True

    def look(self, seen: Evidence) -> str | None:
        """Look for passwords from the example in .env."""
        found = self._replaced(seen)
        return _as_shipped(found) if found and self._is_mine(seen) else None

    def corrected(self, seen: Evidence) -> Values:
        """Return random new passwords."""
        return passwords(seen.settings(), has_store=has_own_store(seen))

    def difference(self, seen: Evidence) -> tuple[str, ...]:
        """Return the names of the secrets that would change; no value is shown."""
        return tuple(f"{name}: {HIDDEN} → a random value" for name in self.known(seen))

    def repair(self, seen: Evidence) -> None:
        """Let workers finish their jobs, change `.env`, then the database, then recreate every service."""
        settings, corrected = seen.ports.deployment.settings, self.known(seen)
        before = settings.text()
        # A job that still runs would fail: the application has lost its access to the database.
        seen.ports.runtime.stop([WORKER])
        settings.change(corrected)
        try:
            if DATABASE in corrected:
                seen.conditions.server.change_password(corrected[DATABASE])
        except QfcError:
            settings.restore(before)
            seen.ports.runtime.start([WORKER])
            raise
        seen.ports.runtime.recreate(None)

    def _replaced(self, seen: Evidence) -> list[str]:
        replaced = passwords(seen.settings(), has_store=has_own_store(seen))
        return [name for name in shipped(seen.settings()) if name in replaced]

    def _is_mine(self, seen: Evidence) -> bool:
        return not _is_new(seen)


class ShippedAtFirst(ShippedPasswords):
    """A10: while nothing is encrypted with them, the keys from the example can simply be replaced."""

    id = "A10-new"
    title = "The database is new, and secrets from the example are in use"
    fix = "Replace them before the tables are created: qfc doctor --fix"
    auto = Auto.SAFE

    def corrected(self, seen: Evidence) -> Values:
        """Return random values for all of them."""
        seals = {name: _random() for name in shipped(seen.settings()) if name in SEALS}
        return {**seals, **super().corrected(seen)}

    def _replaced(self, seen: Evidence) -> list[str]:
        return [*super()._replaced(seen), *(name for name in shipped(seen.settings()) if name in SEALS)]

    def _is_mine(self, seen: Evidence) -> bool:
        return _is_new(seen)


def _as_shipped(names: Sequence[str]) -> str | None:
    return f"Everybody knows these values: {', '.join(names)}." if names else None


def _matters(seen: Evidence, name: str) -> bool:
    return name not in ONLY_OF or ONLY_OF[name] in _defined(seen)


def _is_new(seen: Evidence) -> bool:
    """Return whether no migration was applied yet. A database that cannot be asked does not count as new."""
    try:
        known, missing = seen.migrations()
    except QfcError:
        return False
    return bool(known) and known == missing
