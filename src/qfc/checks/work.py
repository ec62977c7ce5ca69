"""Jobs and edits over the last days: what was lost, what takes long, what is too much."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import timedelta

from ..errors import RefusedError
from ..stack.images import qgis_names
from ..stack.model import Delta, User
from ..stack.queue_changes import BULK_LIMIT
from .base import Auto, Check, DeploymentCheck, Severity
from .env_repairs import RepairsEnv, Values
from .evidence import LOOK_BACK, Evidence, named
from .synchronisation import LOST, WORKER

DAY = timedelta(days=1)
#: Edits are looked for that far back: some devices come home once a month.
MONTH = timedelta(days=30)
#: More descriptions of a project within an hour mean an upload that makes one of each file.
STORM = 20
#: More edits than a job takes.
BACKLOG = 1000
#: Share of the time limit at which a project is called slow.
NEAR = 0.8
QGIS_3, QGIS_4 = "QFIELDCLOUD_QGIS3_IMAGE_NAME", "QFIELDCLOUD_QGIS4_IMAGE_NAME"
#: How the name of an image says that it is of QGIS 3.
THREE = re.compile(r"(qgis-?)3(?!\d)")


class EditsOvertaken(Check):
    """F09: a device that takes the newest package loses sight of edits that it has sent."""

    id = "F09-overtaken"
    title = "Edits are not in the data, and packages were made since"
    severity = Severity.CRITICAL
    fix = "Now: qfc deltas reapply --all; then let a new package be made before anybody synchronises"

    def look(self, seen: Evidence) -> str | None:
        """Look for failed jobs whose edits are still not in the data."""
        found = seen.conditions.work.overtaken_edits(since=seen.ports.clock.now() - MONTH)
        return f"{named(f'{one.count} of {one.project}' for one in found)}." if found else None


class LostOverQuota(Check):
    """F08: more storage alone does not bring back what failed without it."""

    id = "F08"
    title = "Edits failed while a quota was used up"
    severity = Severity.WARNING
    fix = "Raise the quota: qfc users quota NAME --set SIZE; then qfc deltas reapply --project OWNER/NAME"
    auto = Auto.ASK

    def look(self, seen: Evidence) -> str | None:
        """Look for lost edits in projects whose jobs failed of the quota."""
        lost = self._lost(seen)
        return f"{len(lost)} edits in {named(one.project for one in lost)}." if lost else None

    def difference(self, seen: Evidence) -> tuple[str, ...]:
        """Return what is applied again."""
        lost = self._lost(seen)
        return (f"apply {sum(not one.is_in_doubt for one in lost)} of {len(lost)} edits again",)

    def repair(self, seen: Evidence) -> None:
        """Apply them again, once there is space. Raises RefusedError before."""
        lost = self._lost(seen)
        owners = {one.project.partition("/")[0] for one in lost}
        full = [one.username for one in seen.users() if one.username in owners and _is_full(one)]
        if full:
            raise RefusedError(f"{named(full)} has no space yet.", hint=self.fix)
        seen.ports.jobs.reapply([one.id for one in lost if not one.is_in_doubt])

    def _lost(self, seen: Evidence) -> Sequence[Delta]:
        projects = {job.project_id for job in seen.failed_of("H03")}
        if not projects:
            return ()
        lost = seen.once("lost edits", lambda: seen.ports.jobs.deltas(statuses=LOST, limit=BULK_LIMIT))
        return [one for one in lost if one.project_id in projects]


class EditsUnpermitted(Check):
    """F10: the person had lost the right to edit."""

    id = "F10"
    title = "Edits were refused for want of rights"
    severity = Severity.WARNING
    fix = "Give the person a role in the project; then qfc deltas list --status unpermitted, qfc deltas reapply"

    def look(self, seen: Evidence) -> str | None:
        """Count those of the last days."""
        found = seen.conditions.work.edits("unpermitted", since=seen.ports.clock.now() - LOOK_BACK)
        return f"{named(f'{one.count} of {one.project}' for one in found)}." if found else None


class Backlog(Check):
    """F12: more edits than one job takes."""

    id = "F12"
    title = "A project has more edits waiting than a job takes"
    severity = Severity.WARNING
    fix = "Let them be applied in several jobs: qfc sync queue shows how far it is"

    def look(self, seen: Evidence) -> str | None:
        """Count the edits that wait."""
        found = seen.conditions.work.edits("pending", more_than=BACKLOG)
        return f"{named(f'{one.count} of {one.project}' for one in found)}." if found else None


class ProcessingStorm(Check):
    """D17: every file of an upload made a job."""

    id = "D17"
    title = "A project was described again and again"
    severity = Severity.WARNING
    fix = "Upload many files with a release of QFieldSync that sends the project file last"

    def look(self, seen: Evidence) -> str | None:
        """Count the descriptions of the last day, by the hour."""
        since = seen.ports.clock.now() - DAY
        found = seen.conditions.work.processing_storms(since=since, more_than=STORM)
        told = named(f"{one.project} ({one.count} within an hour)" for one in found)
        return f"{told}." if found else None


class SlowProjects(Check):
    """E10: what takes a little longer tomorrow fails."""

    id = "E10"
    title = "Jobs of a project come near the time limit"
    severity = Severity.WARNING
    fix = "Fewer and smaller layers, no thumbnails of remote layers; or a greater WORKER_TIMEOUT_S in the admin"

    def look(self, seen: Evidence) -> str | None:
        """Compare what jobs of the last days took with what they may take."""
        limit = seen.conditions.work.time_limit_s()
        if limit is None:
            return None
        since = seen.ports.clock.now() - LOOK_BACK
        found = seen.conditions.work.long_jobs(since=since, at_least_s=NEAR * limit)
        told = named(f"{one.project} ({one.type} {one.p95_s:.0f} s)" for one in found)
        return f"Of {limit:.0f} s: {told}." if found else None


class QgisFourWanted(DeploymentCheck, RepairsEnv):
    """E01: QGIS 3 cannot read what QGIS 4 has written."""

    id = "E01-images"
    title = "Projects need QGIS 4, and there is no image of it"
    severity = Severity.CRITICAL
    fix = "Name one in QFIELDCLOUD_QGIS4_IMAGE_NAME (releases of June 2026 or later), or save them with QGIS 3"
    auto = Auto.SAFE
    services = (WORKER,)
    is_alone = True

    def look(self, seen: Evidence) -> str | None:
        """Compare the versions of projects with the images; workers that start none have no versions."""
        versions = seen.conditions.projects.qgis_versions() or {}
        wanted = [name for name, version in versions.items() if version.partition(".")[0] == "4"]
        if not wanted:
            return None
        images, settings = seen.ports.deployment.rollout.facts().images, seen.settings()
        has_four = bool(settings.get(QGIS_4)) or "qgis4" in images
        if has_four or not qgis_names(images, settings):
            return None
        return f"Written by QGIS 4: {named(wanted)}."

    def corrected(self, seen: Evidence) -> Values:
        """Name the image of QGIS 4 like that of QGIS 3, where it is named at all: such a release knows both."""
        three = seen.settings().get(QGIS_3, "")
        four = THREE.sub(r"\g<1>4", three)
        return {} if four == three else {QGIS_4: four}

    def repair(self, seen: Evidence) -> None:
        """Pull the image, then name it."""
        seen.ports.deployment.images.fetch(self.known(seen)[QGIS_4])
        super().repair(seen)


def _is_full(user: User) -> bool:
    return user.storage_quota_bytes is not None and 0 < user.storage_quota_bytes <= user.storage_used_bytes


WORK: tuple[Check, ...] = (
    EditsOvertaken(),
    LostOverQuota(),
    EditsUnpermitted(),
    Backlog(),
    ProcessingStorm(),
    SlowProjects(),
    QgisFourWanted(),
)
