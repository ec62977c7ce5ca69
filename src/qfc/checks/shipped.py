"""Secrets of `.env` that everybody knows, since they stand in the examples. No value is ever told."""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping, Sequence

from ..errors import QfcError
from ..stack.redaction import HIDDEN
from .base import Auto, DeploymentCheck, Severity
from .env_repairs import RepairsEnv, Values
from .evidence import Evidence

DATABASE = "POSTGRES_PASSWORD"
#: What projects' secrets are sealed with.
SEALS = ("SECRET_KEY", "SALT_KEY")
#: Names of the password of a store that is part of the deployment: it takes what it is told at its start.
OWN_STORE = ("MINIO_ROOT_PASSWORD", "OBJECT_STORAGE_ROOT_PASSWORD")
#: Names by which the application is told that password.
STORE = (*OWN_STORE, "STORAGE_SECRET_ACCESS_KEY")
SHIPPED = {
    "SECRET_KEY": ("change_me",),
    DATABASE: ("3shJDd2r7Twwkehb", "postgres"),
    "MINIO_ROOT_PASSWORD": ("minioadmin",),
    "STORAGE_SECRET_ACCESS_KEY": ("minioadmin",),
    "OBJECT_STORAGE_ROOT_PASSWORD": ("rustfsadmin", "minioadmin"),
}
SHIPPED_SALT = "0123456789abcdefghijklmnopqrstuvwxyz"
_STORES = "STORAGES"


def shipped(values: Values) -> list[str]:
    """Return the names of secrets that have the value of an example."""
    found = [name for name, known in SHIPPED.items() if values.get(name) in known]
    return [*found, "SALT_KEY"] if values.get("SALT_KEY", "").startswith(SHIPPED_SALT[:13]) else found


def passwords(values: Values) -> Values:
    """Return other ones for database and store, made at random.

    A store that is no part of the deployment knows nothing of `.env`: its password is left alone.
    """
    found = shipped(values)
    changed = {DATABASE: _made_up()} if DATABASE in found else {}
    own = next((name for name in OWN_STORE if name in found), None)
    return {**changed, **_of_store(values, values[own], _made_up())} if own else changed


def _of_store(values: Values, old: str, new: str) -> Mapping[str, str]:
    """Return every line that tells the store's password, with another one."""
    changed = {name: new for name in STORE if values.get(name) == old}
    written = re.compile(rf'("secret_key"\s*:\s*"){re.escape(old)}(?=")')
    text = values.get(_STORES, "")
    return {**changed, _STORES: written.sub(rf"\g<1>{new}", text)} if written.search(text) else changed


def _made_up() -> str:
    """Return a password that needs no quotes anywhere: letters and digits."""
    return secrets.token_hex(24)


class ShippedSecrets(DeploymentCheck):
    """A10: what seals secrets of projects, and the password of a store elsewhere, are the operator's to change."""

    id = "A10"
    title = "Shipped secrets are in use"
    severity = Severity.WARNING
    fix = "Change a store's password there and in .env; SECRET_KEY and SALT_KEY only before the first start"

    def look(self, seen: Evidence) -> str | None:
        """Look for those that nothing here replaces."""
        values = seen.settings()
        replaced = passwords(values)
        mine = [name for name in shipped(values) if name not in replaced]
        return _told([name for name in mine if name not in SEALS or not _is_new(seen)])


class ShippedPasswords(DeploymentCheck, RepairsEnv):
    """A10: whoever has read the example can log in at database and store."""

    id = "A10-passwords"
    title = "Shipped passwords are in use"
    severity = Severity.WARNING
    fix = "Give database and store other ones: qfc doctor --fix"
    auto = Auto.ASK
    is_alone = True

    def look(self, seen: Evidence) -> str | None:
        """Look at the values."""
        found = self._replaced(seen.settings())
        return _told(found) if found and self._is_mine(seen) else None

    def corrected(self, seen: Evidence) -> Values:
        """Make others at random."""
        return passwords(seen.settings())

    def difference(self, seen: Evidence) -> tuple[str, ...]:
        """Return which; no value is told."""
        return tuple(f"{name}: {HIDDEN} → another one, made at random" for name in self.known(seen))

    def repair(self, seen: Evidence) -> None:
        """Change `.env`, then the database, then make every service anew."""
        settings, corrected = seen.ports.deployment.settings, self.known(seen)
        before = settings.text()
        settings.change(corrected)
        try:
            if DATABASE in corrected:
                seen.conditions.server.change_password(corrected[DATABASE])
        except QfcError:
            settings.restore(before)
            raise
        seen.ports.runtime.recreate(None)

    def _replaced(self, values: Values) -> list[str]:
        replaced = passwords(values)
        return [name for name in shipped(values) if name in replaced]

    def _is_mine(self, seen: Evidence) -> bool:
        return not _is_new(seen)


class ShippedAtFirst(ShippedPasswords):
    """A10: as long as nothing is sealed with them, secrets that everybody knows are simply replaced."""

    id = "A10-new"
    title = "Shipped secrets are in use, and the database is new"
    fix = "Give them values of your own now, before: qfc db migrate"
    auto = Auto.SAFE

    def corrected(self, seen: Evidence) -> Values:
        """Make all of them at random."""
        seals = {name: _made_up() for name in shipped(seen.settings()) if name in SEALS}
        return {**seals, **passwords(seen.settings())}

    def _replaced(self, values: Values) -> list[str]:
        return [*super()._replaced(values), *(name for name in shipped(values) if name in SEALS)]

    def _is_mine(self, seen: Evidence) -> bool:
        return _is_new(seen)


def _told(names: Sequence[str]) -> str | None:
    return f"As in the example that everybody has: {', '.join(names)}." if names else None


def _is_new(seen: Evidence) -> bool:
    """Tell whether no migration was applied yet. What cannot be asked is no new database."""
    try:
        known, missing = seen.migrations()
    except QfcError:
        return False
    return bool(known) and known == missing
