"""Upgrades of QFieldCloud that need preparation, and what has to be done first. Pure.

The ids are those of the catalogue of known problems. Rules use facts about the deployment where they can, and names of
releases (v25.27) where they must; a release with another kind of name is not judged by its name.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

_RELEASE = re.compile(r"v?(\d+)\.(\d+)(?:\.(\d+))?")
_VARIABLE = re.compile(r"(?<!\$)\$\{([A-Za-z_][A-Za-z0-9_]*)(:?[-?+][^}]*)?\}|(?<!\$)\$([A-Za-z_][A-Za-z0-9_]*)")
# The major version in a tag; neither the port of a registry nor a checksum counts.
_MAJOR = re.compile(r"(?<!@sha256):(\d+)[^/:@]*(?:@.*)?$")
_COMMENT = re.compile(r"^[ \t]*#.*$", re.MULTILINE)
#: The image of the service db, in the form that all releases use.
_DATABASE = re.compile(r"^  db:[^\n]*\n(?:(?:    .*)?\n)*?    image: *(\S+)", re.MULTILINE)

Version = tuple[int, ...]


@dataclass(frozen=True)
class Upgrade:
    """The facts about a change of release. Texts are files of the new release; `volumes` are the present ones.

    `target_date` is the date of the release's commit, `server_version` the version of the database server.
    `has_old_projects`: the table of projects still has its name from before 2026.
    """

    before: str
    after: str
    environment: Mapping[str, str] = field(repr=False)
    compose_text: str = ""
    example_text: str = ""
    volumes: Sequence[str] = ()
    has_old_projects: bool = False
    geodb_rows: int = 0
    server_version: str = ""
    target_date: date | None = None


@dataclass(frozen=True)
class Stop:
    """A reason not to change to a release yet. One that does not block is only reported."""

    id: str
    blocks: bool
    what: str
    fix: str


def stops(upgrade: Upgrade) -> tuple[Stop, ...]:
    """Return every stop, those that block first."""
    found = [stop for rule in RULES if (stop := rule(upgrade)) is not None]
    return tuple(sorted(found, key=lambda stop: not stop.blocks))


def version(name: str) -> Version | None:
    """Return the numbers in a release's name; None for a name without version numbers."""
    found = _RELEASE.match(name)
    return tuple(int(part or 0) for part in found.groups()) if found else None


def referenced(compose_text: str) -> tuple[frozenset[str], frozenset[str]]:
    """Return the variables that a Compose file uses without a default, and those with one."""
    bare: set[str] = set()
    other: set[str] = set()
    for name, default, plain in _VARIABLE.findall(_COMMENT.sub("", compose_text)):
        (other if default and not default.lstrip(":").startswith("?") else bare).add(name or plain)
    return frozenset(bare - other), frozenset(other)


def database_image(compose_text: str, environment: Mapping[str, str]) -> str:
    """Return the image of the service db in Compose files; the last one counts, empty without one."""
    found = _DATABASE.findall(compose_text)
    return _filled_in(found[-1], environment) if found else ""


def _filled_in(text: str, environment: Mapping[str, str]) -> str:
    def value(found: re.Match[str]) -> str:
        default = (found[2] or "").lstrip(":").lstrip("-")
        return environment.get(found[1] or found[3]) or default

    return _VARIABLE.sub(value, text.strip("\"'"))


def _crosses(upgrade: Upgrade, border: Version) -> bool:
    before, after = version(upgrade.before), version(upgrade.after)
    return before is not None and after is not None and before[: len(border)] < border <= after[: len(border)]


def _missing_variables(upgrade: Upgrade) -> Stop | None:
    """Every release: variables that its Compose files use and `.env` does not set."""
    bare, _ = referenced(upgrade.compose_text)
    # Compose sets the project's name itself.
    missing = sorted(bare - set(upgrade.environment) - {"COMPOSE_PROJECT_NAME"})
    if not missing:
        return None
    return Stop(
        "A12",
        True,
        f"The release needs {', '.join(missing)}, which .env does not set.",
        "Add them to .env, as explained in the release's .env.example.",
    )


def _geodb(upgrade: Upgrade) -> Stop | None:
    """v25.27 removes the second PostGIS; databases of users in it would be deleted."""
    if not _crosses(upgrade, (25, 27)):
        return None
    if upgrade.geodb_rows:
        return Stop(
            "I01",
            True,
            f"{upgrade.geodb_rows} users have a database of their own in geodb, and v25.27 deletes it permanently.",
            "First have them move their data away, then empty core_geodb.",
        )
    return Stop("I01", False, "v25.27 removes the service geodb.", "Remove GEODB_* from .env.")


def _rustfs(upgrade: Upgrade) -> Stop | None:
    """A release with RustFS in place of MinIO, while the files are in volumes of MinIO."""
    has_minio = any("minio_data" in name for name in upgrade.volumes)
    if not has_minio or "rustfs" not in upgrade.compose_text or "minio:" in upgrade.compose_text:
        return None
    return Stop(
        "C04",
        True,
        "The release replaces the store minio with rustfs, but the files are in minio's volumes: they would be gone.",
        "First copy the bucket to the new store and compare it, or use an external S3 store.",
    )


def _legacy_storage(upgrade: Upgrade) -> Stop | None:
    """A release that reads STORAGES only, while `.env` names the store in STORAGE_*."""
    legacy = upgrade.environment.get("STORAGE_ACCESS_KEY_ID") and not upgrade.environment.get("STORAGES")
    if not legacy or not upgrade.example_text or "STORAGE_ACCESS_KEY_ID" in upgrade.example_text:
        return None
    return Stop(
        "C06",
        True,
        "The release reads the store from STORAGES only, but .env sets it in STORAGE_*.",
        "Upgrade to the last release that supports both, move the projects there, then upgrade further.",
    )


def _renamed_projects(upgrade: Upgrade) -> Stop | None:
    """Releases of June to mid August 2026 fail to rename the table of projects."""
    if upgrade.target_date is None or not upgrade.has_old_projects:
        return None
    if not date(2026, 6, 1) <= upgrade.target_date < date(2026, 8, 15) or (version(upgrade.after) or (0,))[0] < 25:
        return None
    return Stop(
        "I02",
        True,
        "Releases of June to August 2026 fail to rename the table of projects.",
        "Choose a release of the second half of August 2026 or later.",
    )


def _postgres_major(upgrade: Upgrade) -> Stop | None:
    """A release with another major version of PostgreSQL than that of the data."""
    wanted = _MAJOR.search(database_image(upgrade.compose_text, upgrade.environment))
    now = upgrade.server_version.partition(".")[0]
    if wanted is None or not now.isdigit() or wanted[1] == now:
        return None
    return Stop(
        "I03",
        True,
        f"The release runs PostgreSQL {wanted[1]}, but the data are from PostgreSQL {now}: it would not start.",
        "Keep the present image (POSTGIS_IMAGE_VERSION in .env), or first move the data by dump and restore.",
    )


def _qgis_images(upgrade: Upgrade) -> Stop | None:
    """A release with images for QGIS 3 and 4, while `.env` names one for QGIS."""
    old, new = "QFIELDCLOUD_QGIS_IMAGE_NAME", "QFIELDCLOUD_QGIS3_IMAGE_NAME"
    if old not in upgrade.environment or new in upgrade.environment or new not in upgrade.compose_text:
        return None
    return Stop("E01", False, f"The release reads {new} instead of {old}.", f"Add {new} (and QGIS 4's) to .env.")


def _older(upgrade: Upgrade) -> Stop | None:
    """Going back: a database knows no way back from its migrations, which only the built image can compare."""
    before, after = version(upgrade.before), version(upgrade.after)
    if before is None or after is None or after >= before:
        return None
    return Stop(
        "older",
        False,
        f"{upgrade.after} is older than {upgrade.before}. If the database has newer migrations, the deployment ends "
        "after the build and changes nothing.",
        "To go back with the data of that time: qfc deploy rollback --with-data.",
    )


RULES: tuple[Callable[[Upgrade], Stop | None], ...] = (
    _missing_variables,
    _geodb,
    _rustfs,
    _legacy_storage,
    _renamed_projects,
    _postgres_major,
    _qgis_images,
    _older,
)
