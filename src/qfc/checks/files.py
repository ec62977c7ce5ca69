"""Files of projects: what their names and sizes tell, in the database."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any, cast

from ..stack.model.conditions import FileTrouble, Miscount
from .base import Auto, Check, DeploymentCheck, Severity
from .evidence import LOOK_BACK, Evidence, named

#: The store that releases of the change to file tables made of the old settings.
LEGACY = "legacy_storage"
#: Devices send files after the edits that announce them.
LATE = timedelta(hours=1)
#: An upload may be under way.
UNDER_WAY = timedelta(minutes=5)
RECOUNT_S = 600.0


class TroubledFiles(Check):
    """Files that have one trouble."""

    def __init__(self, id: str, title: str, severity: Severity, trouble: FileTrouble, fix: str) -> None:
        self.id, self.title, self.severity, self.fix = id, title, severity, fix  # pyright: ignore[reportAttributeAccessIssue]
        self._trouble: FileTrouble = trouble

    def look(self, seen: Evidence) -> str | None:
        """Ask for the files."""
        found = seen.conditions.files.with_trouble(self._trouble)
        if not found:
            return None
        told = named(f"{one.project}/{one.name}" for one in found)
        return f"{len(found)} files: {told}."


class LegacyStorage(DeploymentCheck):
    """C06: later releases do not know the old store any more."""

    id = "C06"
    title = "Projects are in a store that later releases do not know"
    severity = Severity.WARNING
    fix = "Move them to another store in the admin before you upgrade to a release of May 2026 or later"

    def look(self, seen: Evidence) -> str | None:
        """Compare the stores of projects with those that the settings call legacy."""
        in_use = seen.conditions.projects.stores_in_use() or {}
        legacy = {LEGACY, *_legacy_stores(seen.settings().get("STORAGES", ""))}
        found = {name: count for name, count in in_use.items() if name in legacy}
        told = named(f"{count} in {name}" for name, count in found.items())
        return f"Projects: {told}." if found else None


class WronglyCounted(Check):
    """C13: a project's number is not what its files take; our node measures quotas by it."""

    id = "C13"
    title = "Projects count other bytes than they store"
    severity = Severity.INFO
    fix = "Count anew, in the application: calcprojectstorage PROJECT_ID --force-recalculate"
    auto = Auto.ASK

    def look(self, seen: Evidence) -> str | None:
        """Add up the versions."""
        found = self._found(seen)
        told = named(f"{one.project} ({_megabytes(one.counted_bytes, one.stored_bytes)})" for one in found)
        return f"Counted of stored: {told}." if found else None

    def difference(self, seen: Evidence) -> tuple[str, ...]:
        """Return the numbers as they are and as they would be."""
        return tuple(f"{one.project}: {one.counted_bytes} → {one.stored_bytes} bytes" for one in self._found(seen))

    def repair(self, seen: Evidence) -> None:
        """Let the application count."""
        for one in self._found(seen):
            argv = ["calcprojectstorage", one.project_id, "--force-recalculate"]
            seen.ports.runtime.execute("app", argv, timeout_s=RECOUNT_S)

    def _found(self, seen: Evidence) -> tuple[Miscount, ...]:
        until = seen.ports.clock.now() - UNDER_WAY
        return seen.once("miscounts", lambda: seen.conditions.files.miscounts(until=until)) or ()


class AttachmentsMissing(Check):
    """G06: the attribute says that there is a photo, and there is none."""

    id = "G06"
    title = "Attachments that devices announced never came"
    severity = Severity.WARNING
    fix = "Let the person open the project in QField and push attachments again, before the device is wiped"

    def look(self, seen: Evidence) -> str | None:
        """Compare what edits announced with the files that there are."""
        now = seen.ports.clock.now()
        found = seen.conditions.files.missing_attachments(since=now - LOOK_BACK, until=now - LATE)
        if not found:
            return None
        told = named(f"{one.project}/{one.name}" for one in found)
        return f"{len(found)} files of the last days: {told}."


def _legacy_stores(text: str) -> list[str]:
    """Return the names of stores that are marked as legacy; what is no JSON is another check's matter."""
    try:
        known: Any = json.loads(text or "{}")
    except ValueError:
        return []
    stores = cast("dict[str, Any]", known) if isinstance(known, dict) else {}
    return [name for name, one in stores.items() if isinstance(one, dict) and cast(Any, one).get("QFC_IS_LEGACY")]


def _megabytes(part: int, whole: int) -> str:
    return f"{part / 1e6:.1f} of {whole / 1e6:.1f} MB"


#: What keeps jobs of a project from their end.
FILES_FOR_SYNC: tuple[Check, ...] = (
    TroubledFiles(
        "E11",
        "A project has several project files",
        Severity.WARNING,
        FileTrouble.SECOND_PROJECT,
        "Delete all but one of them",
    ),
    TroubledFiles(
        "E12-hidden",
        "Files whose names begin with a dot",
        Severity.WARNING,
        FileTrouble.HIDDEN,
        "Rename or delete them: jobs may fail of them",
    ),
    TroubledFiles(
        "E13",
        "A project file among shared datasets",
        Severity.WARNING,
        FileTrouble.IN_DATASETS,
        "Delete it: shared_datasets holds data alone",
    ),
)
FILES: tuple[Check, ...] = (
    LegacyStorage(),
    TroubledFiles(
        "C10",
        "Rasters or databases of a few bytes",
        Severity.WARNING,
        FileTrouble.TINY,
        "Upload them again with the SDK, or with QFieldSync of 2026 or later",
    ),
    TroubledFiles(
        "C12",
        "File names that not every device can store",
        Severity.WARNING,
        FileTrouble.RESERVED,
        "Rename them",
    ),
    WronglyCounted(),
    AttachmentsMissing(),
)
