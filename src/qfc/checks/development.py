"""A01: files for development in COMPOSE_FILE, and what would go with them."""

from __future__ import annotations

from ..errors import CommandError, QfcError, RefusedError
from ..stack.model import ComposeFacts
from ..stack.removals import Removal, refusal, removals
from .env_repairs import Values
from .evidence import Evidence
from .setting_check import SettingCheck

#: `override.standalone` is none of them: in many deployments it alone defines database and store.
DEVELOPMENT = ("override.local", "override.test")


def development_files(values: Values) -> str | None:
    """A01."""
    found = [name for name in DEVELOPMENT if name in values.get("COMPOSE_FILE", "")]
    return f"COMPOSE_FILE contains {', '.join(found)}." if found else None


class DevelopmentFiles(SettingCheck):
    """A01: code is mounted from the host, and the application runs in a server for development."""

    def look(self, seen: Evidence) -> str | None:
        """Read COMPOSE_FILE, and ask Compose what would be missing without the development files."""
        found = development_files(seen.settings())
        if found is None:
            return None
        try:
            kept = refusal(self._removed(seen))
        except QfcError as error:
            return f"{found} What else they define cannot be seen: {error.message}"
        return f"{found} qfc does not remove them. {kept}" if kept else found

    def corrected(self, seen: Evidence) -> Values:
        """Return COMPOSE_FILE without the development files. Raises RefusedError where data or needed services go."""
        kept = refusal(self._removed(seen))
        if kept:
            raise RefusedError(kept, hint="Define these services in a file of your own first.")
        return without_development(seen.settings())

    def difference(self, seen: Evidence) -> tuple[str, ...]:
        """Return the change of COMPOSE_FILE, and the services that would go."""
        gone = (f"{one.service} would no longer be defined" for one in self._removed(seen))
        return (*super().difference(seen), *gone)

    def _removed(self, seen: Evidence) -> tuple[Removal, ...]:
        return seen.once("removed with development files", lambda: self._asked(seen))

    def _asked(self, seen: Evidence) -> tuple[Removal, ...]:
        rollout, values = seen.ports.deployment.rollout, without_development(seen.settings())
        then = rollout.facts(_files(values["COMPOSE_FILE"], seen.settings()))
        try:
            now = rollout.facts(_files(seen.settings()["COMPOSE_FILE"], seen.settings()))
        except CommandError:
            # A file is missing or invalid: the containers still show what was defined.
            now = ComposeFacts(images=dict.fromkeys(seen.services(), ""))
        return removals(now, then)


def without_development(values: Values) -> Values:
    """Remove the development files."""
    files = _files(values.get("COMPOSE_FILE", ""), values)
    kept = [one for one in files if not any(name in one for name in DEVELOPMENT)]
    return {"COMPOSE_FILE": _separator(values).join(kept)}


def _files(joined: str, values: Values) -> list[str]:
    return joined.split(_separator(values))


def _separator(values: Values) -> str:
    return values.get("COMPOSE_PATH_SEPARATOR") or ":"
