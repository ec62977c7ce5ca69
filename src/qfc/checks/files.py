"""Files of projects: problems that their names and sizes in the database show."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any, cast

from ..stack.model.conditions import FileTrouble, Miscount
from .base import Auto, Check, DeploymentCheck, Severity
from .evidence import LOOK_BACK, Evidence, counted, named

#: The store that the releases which introduced file tables created from the old settings.
LEGACY = "legacy_storage"
#: Devices send files after the edits that announce them; until then a file is not missing.
LATE = timedelta(hours=1)
#: An upload may still be in progress.
UNDER_WAY = timedelta(minutes=5)
RECOUNT_S = 600.0


class TroubledFiles(Check):
    """Files with one kind of trouble."""

    def __init__(self, id: str, title: str, severity: Severity, trouble: FileTrouble, fix: str) -> None:
        self.id, self.title, self.severity, self.fix = id, title, severity, fix  # pyright: ignore[reportAttributeAccessIssue]
        self._trouble: FileTrouble = trouble

    def look(self, seen: Evidence) -> str | None:
        """Search the database for such files."""
        found = seen.conditions.files.with_trouble(self._trouble)
        if not found:
            return None
        listed = named(f"{one.project}/{one.name}" for one in found)
        return f"{counted(len(found), 'file')}: {listed}."


class LegacyStorage(DeploymentCheck):
    """C06: later releases no longer support the old store."""

    id = "C06"
    title = "Projects are in a store that later releases do not support"
    severity = Severity.WARNING
    fix = "Move them to another store in the admin, before you upgrade to a release of May 2026 or later"

    def look(self, seen: Evidence) -> str | None:
        """Compare the stores of projects with the legacy stores in the settings."""
        found = legacy_in_use(seen)
        listed = named(f"{count} in {name}" for name, count in found.items())
        return f"Projects: {listed}." if found else None


class WronglyCounted(Check):
    """C13: a project's counter differs from the size of its files; our node measures quotas by the counter."""

    id = "C13"
    title = "The storage counters of projects are wrong"
    severity = Severity.INFO
    fix = "Recount them: qfc doctor --fix; or in the application: calcprojectstorage PROJECT_ID --force-recalculate"
    auto = Auto.ASK

    def look(self, seen: Evidence) -> str | None:
        """Compare each project's counter with the sum of its file versions."""
        found = self._found(seen)
        listed = named(f"{one.project} ({_megabytes(one.counted_bytes, one.stored_bytes)})" for one in found)
        return f"Counted of stored: {listed}." if found else None

    def difference(self, seen: Evidence) -> tuple[str, ...]:
        """Return the counters before and after."""
        return tuple(f"{one.project}: {one.counted_bytes} → {one.stored_bytes} bytes" for one in self._found(seen))

    def repair(self, seen: Evidence) -> None:
        """Let the application recount."""
        for one in self._found(seen):
            argv = ["calcprojectstorage", one.project_id, "--force-recalculate"]
            seen.ports.runtime.execute("app", argv, timeout_s=RECOUNT_S)

    def _found(self, seen: Evidence) -> tuple[Miscount, ...]:
        until = seen.ports.clock.now() - UNDER_WAY
        return seen.once("miscounts", lambda: seen.conditions.files.miscounts(until=until)) or ()


class AttachmentsMissing(Check):
    """G06: an attribute names a photo that is not there."""

    id = "G06"
    title = "Attachments that devices announced never arrived"
    severity = Severity.WARNING
    fix = "Before the device is wiped, have its user open the project in QField and push attachments again"

    def look(self, seen: Evidence) -> str | None:
        """Compare the files that edits of the last 7 days announced with the stored ones."""
        now = seen.ports.clock.now()
        found = seen.conditions.files.missing_attachments(since=now - LOOK_BACK, until=now - LATE)
        if not found:
            return None
        listed = named(f"{one.project}/{one.name}" for one in found)
        return f"{counted(len(found), 'file')} in the last {LOOK_BACK.days} days: {listed}."


def legacy_in_use(seen: Evidence) -> dict[str, int]:
    """Return the number of projects in each legacy store."""
    in_use = seen.conditions.projects.stores_in_use() or {}
    legacy = {LEGACY, *_legacy_stores(seen.settings().get("STORAGES", ""))}
    return {name: count for name, count in in_use.items() if name in legacy}


def _legacy_stores(text: str) -> list[str]:
    """Return the names of stores that are marked as legacy; another check reports invalid JSON."""
    try:
        known: Any = json.loads(text or "{}")
    except ValueError:
        return []
    stores = cast("dict[str, Any]", known) if isinstance(known, dict) else {}
    return [name for name, one in stores.items() if isinstance(one, dict) and cast(Any, one).get("QFC_IS_LEGACY")]


def _megabytes(part: int, whole: int) -> str:
    return f"{part / 1e6:.1f} of {whole / 1e6:.1f} MB"


#: Problems that can make a project's jobs fail.
FILES_FOR_SYNC: tuple[Check, ...] = (
    TroubledFiles(
        "E11",
        "A project has several project files",
        Severity.WARNING,
        FileTrouble.SECOND_PROJECT,
        "Delete all project files but one",
    ),
    TroubledFiles(
        "E12-hidden",
        "File names begin with a dot",
        Severity.WARNING,
        FileTrouble.HIDDEN,
        "Rename or delete the files: they can make jobs fail",
    ),
    TroubledFiles(
        "E13",
        "The shared datasets contain a project file",
        Severity.WARNING,
        FileTrouble.IN_DATASETS,
        "Delete the project file: shared_datasets is for data only",
    ),
)
FILES: tuple[Check, ...] = (
    LegacyStorage(),
    TroubledFiles(
        "C10",
        "Rasters or databases are only a few bytes long",
        Severity.WARNING,
        FileTrouble.TINY,
        "Upload them again with the SDK, or with a QFieldSync of 2026 or later",
    ),
    TroubledFiles(
        "C12",
        "Some devices cannot store certain file names",
        Severity.WARNING,
        FileTrouble.RESERVED,
        "Rename the files",
    ),
    WronglyCounted(),
    AttachmentsMissing(),
)
