"""Jobs and edits of the last days: lost edits, slow jobs, backlogs."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import timedelta

from ..errors import RefusedError
from ..stack.images import qgis_names
from ..stack.model import Delta, User
from ..stack.queue_changes import BULK_LIMIT
from ..stack.release_facts import TIMEOUT, TIMEOUT_S
from .base import Auto, Check, DeploymentCheck, Severity
from .env_repairs import RepairsEnv, Values
from .evidence import LOOK_BACK, Evidence, counted, named
from .lost_edits import LOST, await_edits
from .releases import release_facts
from .synchronisation import WORKER

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
#: So many failed jobs within an hour, and more than this share of all that ended, are worth a message.
FEW_FAILURES, MANY_FAILURES = 5, 0.3
#: How far back edits count: some devices synchronise once a month.
MONTH = timedelta(days=30)
#: More process_projectfile jobs of a project within an hour mean an upload that starts one per file.
STORM = 20
#: The most edits in one job.
BACKLOG = 1000
#: Share of the time limit from which a project is reported as slow.
NEAR = 0.8
QGIS_3, QGIS_4 = "QFIELDCLOUD_QGIS3_IMAGE_NAME", "QFIELDCLOUD_QGIS4_IMAGE_NAME"
#: The part of an image's name that stands for QGIS 3.
THREE = re.compile(r"(qgis-?)3(?!\d)")


class EditsOvertaken(Check):
    """F09: a device that downloads the newest package no longer shows edits that it has sent."""

    id = "F09-overtaken"
    title = "Packages were built without edits that devices had pushed"
    severity = Severity.CRITICAL
    fix = "Apply the edits now: qfc deltas reapply --all; then have new packages built before anybody synchronises"

    def look(self, seen: Evidence) -> str | None:
        """Look for failed jobs whose edits are missing from later packages."""
        found = seen.conditions.work.overtaken_edits(since=seen.ports.clock.now() - MONTH)
        return f"Edits: {named(f'{one.count} in {one.project}' for one in found)}." if found else None


class LostOverQuota(Check):
    """F08: more storage alone does not bring back edits that failed without it."""

    id = "F08"
    title = "Edits failed while a quota was used up"
    severity = Severity.WARNING
    fix = "Raise the quota: qfc users quota NAME --set SIZE; then: qfc deltas reapply --project OWNER/NAME"
    auto = Auto.ASK

    def look(self, seen: Evidence) -> str | None:
        """Look for lost edits in projects whose jobs failed because of the quota."""
        lost = self._lost(seen)
        return f"{counted(len(lost), 'edit')} in {named(one.project for one in lost)}." if lost else None

    def difference(self, seen: Evidence) -> tuple[str, ...]:
        """Return how many edits would be applied again."""
        lost = self._lost(seen)
        return (f"apply {sum(not one.is_in_doubt for one in lost)} of {counted(len(lost), 'edit')} again",)

    def repair(self, seen: Evidence) -> None:
        """Apply the edits again. Raises RefusedError while a quota is still used up."""
        lost = self._lost(seen)
        owners = {one.project.partition("/")[0] for one in lost}
        full = [one.username for one in seen.users() if one.username in owners and _is_full(one)]
        if full:
            raise RefusedError(f"The quota is still used up: {named(full)}.", hint=self.fix)
        ids = [one.id for one in lost if not one.is_in_doubt]
        seen.ports.jobs.reapply(ids)
        await_edits(seen, ids)

    def _lost(self, seen: Evidence) -> Sequence[Delta]:
        projects = {job.project_id for job in seen.failed_of("H03")}
        if not projects:
            return ()
        lost = seen.once("lost edits", lambda: seen.ports.jobs.deltas(statuses=LOST, limit=BULK_LIMIT))
        return [one for one in lost if one.project_id in projects]


class EditsUnpermitted(Check):
    """F10: the user had lost the right to edit."""

    id = "F10"
    title = "Edits were refused for lack of permission"
    severity = Severity.WARNING
    fix = "Give the user a role; list the edits: qfc deltas list --status unpermitted; then: qfc deltas reapply ID"

    def look(self, seen: Evidence) -> str | None:
        """Count the refused edits of the last 7 days."""
        found = seen.conditions.work.edits("unpermitted", since=seen.ports.clock.now() - LOOK_BACK)
        return f"Edits: {named(f'{one.count} in {one.project}' for one in found)}." if found else None


class Backlog(Check):
    """F12: more edits wait than one job takes."""

    id = "F12"
    title = "More edits of a project wait than one job takes"
    severity = Severity.WARNING
    fix = "Wait while several jobs apply them; watch the progress: qfc sync queue"

    def look(self, seen: Evidence) -> str | None:
        """Count the waiting edits of each project."""
        found = seen.conditions.work.edits("pending", more_than=BACKLOG)
        return f"Edits: {named(f'{one.count} in {one.project}' for one in found)}." if found else None


class FeaturesSkipped(Check):
    """E02: a finished package whose layers came out smaller than they are, or empty."""

    id = "E02-skipped"
    title = "Finished packages lack features whose geometry is invalid"
    severity = Severity.WARNING
    fix = (
        "Repair the geometries in QGIS (Fix geometries), then package again; v26.18 and v26.19 also skip good ones:"
        " qfc deploy --tag TAG"
    )

    def look(self, seen: Evidence) -> str | None:
        """Count the skipped features in the output of each project's last package."""
        found = seen.conditions.work.skipped_features(since=seen.ports.clock.now() - MONTH) or ()
        return f"Features: {named(f'{one.count} of {one.project}' for one in found)}." if found else None


class ProcessingStorm(Check):
    """D17: every file of an upload started a job."""

    id = "D17"
    title = "A project was processed over and over"
    severity = Severity.WARNING
    fix = "Upload many files with a release of QFieldSync that sends the project file last"

    def look(self, seen: Evidence) -> str | None:
        """Count the process_projectfile jobs of the last day, by the hour."""
        since = seen.ports.clock.now() - DAY
        found = seen.conditions.work.processing_storms(since=since, more_than=STORM)
        listed = named(f"{one.project} ({one.count} within an hour)" for one in found)
        return f"process_projectfile jobs: {listed}." if found else None


class ManyFailures(Check):
    """Single failures have reasons of their own; many within an hour have one in common."""

    id = "failure-rate"
    title = "Many jobs fail"
    severity = Severity.WARNING
    fix = "See what the failures have in common: qfc sync failed"

    def look(self, seen: Evidence) -> str | None:
        """Compare the number of failed jobs of the last hour with that of all that ended."""
        ended = seen.ports.jobs.statistics(since=seen.ports.clock.now() - HOUR)
        every = ended.finished + ended.failed
        if ended.failed < FEW_FAILURES or ended.failed <= MANY_FAILURES * every:
            return None
        return f"{ended.failed} of {every} jobs that ended within the last hour have failed."


class SlowProjects(Check):
    """E10: jobs that become a little slower will fail."""

    id = "E10"
    title = "Jobs of a project come close to the time limit"
    severity = Severity.WARNING
    fix = (
        "Use fewer and smaller layers and no thumbnails of remote ones; or raise WORKER_TIMEOUT_S in the admin"
        " (since v26.24 QFIELDCLOUD_WORKER_TIMEOUT_S in .env)"
    )

    def look(self, seen: Evidence) -> str | None:
        """Compare the run times of the last 7 days with the time limit."""
        limit = time_limit_s(seen)
        if limit is None:
            return None
        since = seen.ports.clock.now() - LOOK_BACK
        found = seen.conditions.work.long_jobs(since=since, at_least_s=NEAR * limit)
        listed = named(f"{one.project} ({one.type} {one.p95_s:.0f} s)" for one in found)
        return f"The limit is {limit:.0f} s: {listed}." if found else None


class QgisFourWanted(DeploymentCheck, RepairsEnv):
    """E01: QGIS 3 cannot read projects that QGIS 4 has written."""

    id = "E01-images"
    title = "Projects need QGIS 4, but the server has no image of it"
    severity = Severity.CRITICAL
    fix = "Set QFIELDCLOUD_QGIS4_IMAGE_NAME (releases of June 2026 or later), or save the projects with QGIS 3"
    auto = Auto.SAFE
    services = (WORKER,)
    is_alone = True

    def look(self, seen: Evidence) -> str | None:
        """Compare the QGIS versions of projects with the images, where workers start any."""
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
        """Return a name for QGIS 4 like that of QGIS 3, where `.env` has one: such a release supports both."""
        three = seen.settings().get(QGIS_3, "")
        four = THREE.sub(r"\g<1>4", three)
        return {} if four == three else {QGIS_4: four}

    def repair(self, seen: Evidence) -> None:
        """Pull the image, then set its name."""
        seen.ports.deployment.images.fetch(self.known(seen)[QGIS_4])
        super().repair(seen)


def time_limit_s(seen: Evidence) -> float | None:
    """Return the time limit of jobs, in seconds, from where the release has it; None where nothing tells it."""
    facts = release_facts(seen)
    if facts is None or not facts.has_timeout_in_env:
        return seen.conditions.work.time_limit_s()
    written = seen.settings().get(TIMEOUT, "")
    return float(written) if written.isdigit() else TIMEOUT_S


def _is_full(user: User) -> bool:
    return user.storage_quota_bytes is not None and 0 < user.storage_quota_bytes <= user.storage_used_bytes


WORK: tuple[Check, ...] = (
    EditsOvertaken(),
    LostOverQuota(),
    EditsUnpermitted(),
    Backlog(),
    FeaturesSkipped(),
    ProcessingStorm(),
    ManyFailures(),
    SlowProjects(),
    QgisFourWanted(),
)
