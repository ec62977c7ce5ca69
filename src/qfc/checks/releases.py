"""The release: variables that its files need, changes to its files, the result of the last deployment."""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from pathlib import PurePath

from ..errors import NotFoundError, QfcError, RefusedError
from ..stack.deploy_records import FOLDER, LOG, past
from ..stack.env_file import EnvFile
from ..stack.release_facts import ReleaseFacts, facts_of, refused_values
from ..stack.rollout import DeployState
from ..stack.upgrade_stops import Upgrade, referenced, stops
from .base import Auto, Check, DeploymentCheck, Severity
from .evidence import Evidence

EXAMPLE = ".env.example"
#: The files that Compose reads where COMPOSE_FILE names none.
BY_DEFAULT = ("docker-compose.yml", "docker-compose.override.yml")
#: Where releases have the configuration of nginx.
TEMPLATES = (
    "nginx/templates/default.conf.template",
    "docker-nginx/templates/default.conf.template",
    "conf/nginx/templates/default.conf.template",
)
NAMED = 5
#: Names of secrets: a missing one gets a random value.
SECRET = re.compile(r"SECRET|SALT|PASSWORD|TOKEN")
#: Patterns in the log of a failed deployment, and their meaning; the first match counts.
FAILURES = {
    "A08": (r"Failed to fetch https?://|exit code: 18|Temporary failure in name resolution|i/o timeout",
            "the build could not download something: use published images, or load saved ones: qfc image load"),
    "A12": (r"KeyError: '[A-Z_]{3,}'|variable is not set", "a variable is missing in .env"),
    "A05": (r"port is already allocated|address already in use", "another program uses a port"),
    "I02": (r'relation "project_project" does not exist', "the release fails to rename a table: choose a later one"),
    "I03": (r"database files are incompatible with server", "the data belong to another PostgreSQL version"),
    "I08": (r"would be overwritten by (?:checkout|merge)|CONFLICT \(", "files of the release have local changes"),
    "A07": (r"contains an invalid type|Unsupported config option", "the release needs Compose v2"),
}  # fmt: skip


class ReleaseCheck(DeploymentCheck):
    """A check of a release's files; only deployments have them."""


class MissingVariables(ReleaseCheck):
    """A12: Compose inserts an empty string where a variable is not set."""

    id = "A12"
    title = "Variables are missing in .env"
    severity = Severity.WARNING
    fix = "Add them as in .env.example; then: qfc services recreate"
    auto = Auto.ASK

    def look(self, seen: Evidence) -> str | None:
        """Compare .env with the variables in the Compose files."""
        missing = self._missing(seen)
        return f"Not set: {', '.join(missing[:NAMED])}." if missing else None

    def difference(self, seen: Evidence) -> tuple[str, ...]:
        """Return the lines that would be added."""
        example = example_values(seen)
        shown = {name: "(random)" if SECRET.search(name) else example[name] for name in self._known(seen)}
        return tuple(f"{name}: not set → {value}" for name, value in shown.items())

    def repair(self, seen: Evidence) -> None:
        """Add the variables that the example has, secrets with random values."""
        example = example_values(seen)
        values = {
            name: secrets.token_urlsafe(36) if SECRET.search(name) else example[name] for name in self._known(seen)
        }
        if not values:
            raise RefusedError("The .env.example has no values for these variables.", hint=self.fix)
        seen.ports.deployment.settings.change(values)
        seen.ports.runtime.recreate(None)

    def _known(self, seen: Evidence) -> list[str]:
        example = example_values(seen)
        return [name for name in self._missing(seen) if name in example]

    def _missing(self, seen: Evidence) -> list[str]:
        bare, _ = referenced(compose_text(seen))
        return sorted(bare - set(seen.settings()) - {"COMPOSE_PROJECT_NAME", "COMPOSE_PATH_SEPARATOR"})


class RefusedValues(ReleaseCheck):
    """A12: the application ends at its start where a value is empty or none that it can read."""

    id = "A12-values"
    title = "The application cannot start with values of .env"
    severity = Severity.CRITICAL
    fix = "Set them as in .env.example; then: qfc services recreate"

    def look(self, seen: Evidence) -> str | None:
        """Read the values that the release refuses, as far as the Compose files pass them on."""
        facts = release_facts(seen)
        if facts is None:
            return None
        passed = referenced(compose_text(seen))
        found = refused_values(seen.settings(), *passed, are_flags_strict=facts.refuses_empty)
        return f"{'; '.join(f'{name} is {why}' for name, why in found.items())}." if found else None


class StopsAhead(ReleaseCheck):
    """I06: with the present files, the deployment would not start again."""

    id = "I06"
    problems = ("I06", "I01", "I03", "C04", "C06", "E01")
    title = "The deployment's files do not match its data"
    severity = Severity.WARNING
    fix = "Do not recreate any service yet; see what to do first: qfc deploy --dry-run"

    def look(self, seen: Evidence) -> str | None:
        """Judge the present files as if they were about to be deployed."""
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
        # Missing variables have a check of their own.
        found = [f"{one.id}: {one.what}" for one in stops(upgrade) if one.blocks and one.id != "A12"]
        return " ".join(found) or None


class ChangedFiles(ReleaseCheck):
    """I08: the next release conflicts with local changes."""

    id = "I08"
    title = "Files of the release have local changes"
    severity = Severity.INFO
    fix = "Move the changes to files of your own and name these in COMPOSE_FILE; then: git checkout -- FILE"

    def look(self, seen: Evidence) -> str | None:
        """Ask git for changed files."""
        try:
            changed = seen.ports.deployment.source.state().changed
        except RefusedError:
            return None
        return f"Changed: {', '.join(changed[:NAMED])}." if changed else None


class FailedDeployment(ReleaseCheck):
    """A08: the last release did not start."""

    id = "A08"
    problems = ("A08", "A05", "A07", "A12", "I02", "I03", "I08")
    title = "The last deployment failed"
    severity = Severity.INFO
    fix = "The previous release is kept for rollback; see what failed: qfc deploy history"

    def look(self, seen: Evidence) -> str | None:
        """Read the record of the last deployment, and look for known errors in its log."""
        records = past(seen.ports.records, most=1)
        if not records or records[0].state is DeployState.DEPLOYED or not records[0].failure:
            return None
        log = seen.ports.records.read_text(f"{FOLDER}/{records[0].id}/{LOG}") or ""
        text = f"{records[0].failure}\n{log}"
        known = next((f" ({id}: {means})" for id, (pattern, means) in FAILURES.items() if re.search(pattern, text)), "")
        return f"To {records[0].after}: {records[0].failure}{known}"


def compose_text(seen: Evidence) -> str:
    """Return the Compose files, concatenated."""
    values = seen.settings()
    named = values.get("COMPOSE_FILE", "")
    names = named.split(values.get("COMPOSE_PATH_SEPARATOR") or ":") if named else BY_DEFAULT
    return "\n".join(_read(seen, name) for name in names)


def release_facts(seen: Evidence) -> ReleaseFacts | None:
    """Return what holds in the release, by the deployment's own files; None where there are none to read."""

    def read() -> ReleaseFacts | None:
        if not seen.is_deployment:
            return None
        return facts_of("\n".join([compose_text(seen), *(_read(seen, name) for name in (EXAMPLE, *TEMPLATES))]))

    return seen.once("release facts", read)


def example_values(seen: Evidence) -> Mapping[str, str]:
    """Return the values of `.env.example` by name; none without the file."""
    return EnvFile(_read(seen, EXAMPLE), EXAMPLE).values


def _read(seen: Evidence, name: str) -> str:
    """Return the text of a file in the deployment's folder; empty without the file."""

    def read() -> str:
        folder: PurePath = seen.ports.deployment.folder
        try:
            return seen.ports.host.read_bytes(folder / name).decode(errors="replace")
        except NotFoundError:
            return ""
        except QfcError as error:
            raise QfcError(f"qfc cannot read {name}: {error.message}") from error

    return seen.once(f"file {name}", read)


RELEASES: tuple[Check, ...] = (MissingVariables(), RefusedValues(), StopsAhead(), ChangedFiles(), FailedDeployment())
