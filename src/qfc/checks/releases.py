"""The release: what its files want, what was changed in them, how the last deployment ended."""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from pathlib import PurePath

from ..errors import NotFoundError, QfcError, RefusedError
from ..stack.deploy_records import FOLDER, LOG, past
from ..stack.rollout import DeployState
from ..stack.upgrade_stops import Upgrade, referenced, stops
from .base import Auto, Check, DeploymentCheck, Severity
from .evidence import Evidence

COMPOSE_FILE, EXAMPLE = "docker-compose.yml", ".env.example"
NAMED = 5
#: Names whose values nobody may know: a new one is made up.
SECRET = re.compile(r"SECRET|SALT|PASSWORD|TOKEN")
#: What the log of a failed deployment says, and what it means; the first that fits counts.
FAILURES = {
    "A08": (r"Failed to fetch https?://|exit code: 18|Temporary failure in name resolution|i/o timeout",
            "the build could not fetch something: use published images, or load them with qfc image load"),
    "A12": (r"KeyError: '[A-Z_]{3,}'|variable is not set", "a variable is missing in .env"),
    "A05": (r"port is already allocated|address already in use", "a port is taken by something else"),
    "I02": (r'relation "project_project" does not exist', "the release fails to rename a table: take a later one"),
    "I03": (r"database files are incompatible with server", "the data are of another PostgreSQL"),
    "I08": (r"would be overwritten by (?:checkout|merge)|CONFLICT \(", "own changes in files of the release"),
    "A07": (r"contains an invalid type|Unsupported config option", "the release wants Compose v2"),
}  # fmt: skip


class ReleaseCheck(DeploymentCheck):
    """Only deployments have files of a release."""


class MissingVariables(ReleaseCheck):
    """A12: Compose puts an empty text where a variable is not set."""

    id = "A12"
    title = "Variables are missing in .env"
    severity = Severity.WARNING
    fix = "Add them as .env.example has them; then qfc services recreate"
    auto = Auto.ASK

    def look(self, seen: Evidence) -> str | None:
        """Compare .env with what the Compose files want."""
        missing = self._missing(seen)
        return f"Not set: {', '.join(missing[:NAMED])}." if missing else None

    def difference(self, seen: Evidence) -> tuple[str, ...]:
        """Return the lines that would be added."""
        example = example_values(seen)
        shown = {name: "(made up)" if SECRET.search(name) else example[name] for name in self._known(seen)}
        return tuple(f"{name}: not set → {value}" for name, value in shown.items())

    def repair(self, seen: Evidence) -> None:
        """Add those that the example has, secrets with values of their own."""
        example = example_values(seen)
        values = {
            name: secrets.token_urlsafe(36) if SECRET.search(name) else example[name] for name in self._known(seen)
        }
        if not values:
            raise RefusedError("No .env.example says what they should be.", hint=self.fix)
        seen.ports.deployment.settings.change(values)
        seen.ports.runtime.recreate(None)

    def _known(self, seen: Evidence) -> list[str]:
        example = example_values(seen)
        return [name for name in self._missing(seen) if name in example]

    def _missing(self, seen: Evidence) -> list[str]:
        bare, _ = referenced(compose_text(seen))
        return sorted(bare - set(seen.settings()) - {"COMPOSE_PROJECT_NAME", "COMPOSE_PATH_SEPARATOR"})


class StopsAhead(ReleaseCheck):
    """I06: what would not start again as the files are now."""

    id = "I06"
    problems = ("I06", "I01", "I03", "C04", "C06", "E01")
    title = "The files and the data do not go together"
    severity = Severity.WARNING
    fix = "Before anything is recreated: qfc deploy --dry-run tells what to do first"

    def look(self, seen: Evidence) -> str | None:
        """Judge the files of now as if they were deployed now."""
        ports = seen.ports
        upgrade = Upgrade(
            before="now",
            after="now",
            environment=seen.settings(),
            compose_text=compose_text(seen),
            example_text=_read(seen, EXAMPLE),
            volumes=ports.deployment.volumes(),
            has_old_projects=ports.directory.rows_of("core_project") is not None,
            geodb_rows=ports.directory.rows_of("core_geodb") or 0,
            server_version=ports.directory.database().version,
        )
        # What is missing in .env has a check of its own.
        found = [f"{one.id}: {one.what}" for one in stops(upgrade) if one.blocks and one.id != "A12"]
        return " ".join(found) or None


class ChangedFiles(ReleaseCheck):
    """I08: the next release meets one's own changes."""

    id = "I08"
    title = "Files of the release were changed"
    severity = Severity.INFO
    fix = "Keep changes in files of your own, named in COMPOSE_FILE; then git checkout -- FILE"

    def look(self, seen: Evidence) -> str | None:
        """Ask git."""
        try:
            changed = seen.ports.deployment.source.state().changed
        except RefusedError:
            return None
        return f"Changed: {', '.join(changed[:NAMED])}." if changed else None


class FailedDeployment(ReleaseCheck):
    """A08: the last release did not come up."""

    id = "A08"
    problems = ("A08", "A05", "A07", "A12", "I02", "I03", "I08")
    title = "The last deployment failed"
    severity = Severity.INFO
    fix = "What it was: qfc deploy history; the way back is kept"

    def look(self, seen: Evidence) -> str | None:
        """Look at the last record, and for what is known in its log."""
        records = past(seen.ports.records, most=1)
        if not records or records[0].state is DeployState.DEPLOYED or not records[0].failure:
            return None
        log = seen.ports.records.read_text(f"{FOLDER}/{records[0].id}/{LOG}") or ""
        told = f"{records[0].failure}\n{log}"
        known = next((f" ({id}: {means})" for id, (pattern, means) in FAILURES.items() if re.search(pattern, told)), "")
        return f"To {records[0].after}: {records[0].failure}{known}"


def compose_text(seen: Evidence) -> str:
    """Return the Compose files, one behind the other."""
    values = seen.settings()
    names = values.get("COMPOSE_FILE", COMPOSE_FILE).split(values.get("COMPOSE_PATH_SEPARATOR") or ":")
    return "\n".join(_read(seen, name) for name in names)


def example_values(seen: Evidence) -> Mapping[str, str]:
    """Return the lines of the example of .env; none where there is none."""
    pairs = (line.partition("=") for line in _read(seen, EXAMPLE).splitlines() if not line.lstrip().startswith("#"))
    return {name.strip(): value.strip().strip("\"'") for name, sign, value in pairs if sign}


def _read(seen: Evidence, name: str) -> str:
    """Return a file of the deployment's folder as it is now; empty without it."""

    def read() -> str:
        folder: PurePath = seen.ports.deployment.folder
        try:
            return seen.ports.host.read_bytes(folder / name).decode(errors="replace")
        except NotFoundError:
            return ""
        except QfcError as error:
            raise QfcError(f"{name} cannot be read: {error.message}") from error

    return seen.once(f"file {name}", read)


RELEASES: tuple[Check, ...] = (MissingVariables(), StopsAhead(), ChangedFiles(), FailedDeployment())
