"""Turn a claimed job into plain values for the child process, read in one transaction."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models.fields.json import KT
from django.utils import timezone

from ..core.attachments import attachment_folders
from ..core.models import (
    ApplyJob,
    ApplyJobDelta,
    Delta,
    DeltaStatus,
    File,
    FileType,
    Job,
    JobStatus,
    JobType,
    Project,
    ProjectRole,
    Secret,
    User,
)
from ..core.permissions import delta_action, is_allowed, role_in
from ..core.projects import is_project_file
from ..gis import port
from ..storage.blobs import Blob
from .database_access import rules_for
from .leases import Lease
from .secret_environment import SealedSecret
from .work import SnapshotFile, Work


class NothingToDoError(Exception):
    """The job cannot start; the message says why."""


@dataclass(frozen=True)
class Prepared:
    """A job that is ready to run. `refused`: the outcomes of deltas whose author lacks the permission."""

    work: Work
    snapshot_at: datetime
    attachment_dirs: tuple[str, ...]
    refused: tuple[dict[str, Any], ...] = ()


def prepare(lease: Lease) -> Prepared:
    """Mark the job as started and take the snapshot. Raises LeaseLostError, NothingToDoError."""
    with transaction.atomic():
        job = lease.hold()
        # Uploads hold the project's row: so none is running that is older than the snapshot and missing from it.
        project = Project.objects.select_for_update(no_key=True).get(pk=job.project_id)
        now = timezone.now()
        Job.objects.filter(pk=job.pk).update(status=JobStatus.STARTED, started_at=now, docker_started_at=now)
        prepared = _snapshot(job, project, now)
    if prepared is None:
        raise NothingToDoError("The project has no QGIS project file.")
    return prepared


def _snapshot(job: Job, project: Project, now: datetime) -> Prepared | None:
    files = _files(project)
    project_filename = _project_filename(project, files)
    if project_filename is None:
        return None
    deltas, refused = _deltas(job, project) if job.type == JobType.DELTA_APPLY else ((), ())
    work = Work(
        job_id=job.pk,
        type=job.type,
        project_id=project.pk,
        project_filename=project_filename,
        files=files,
        deltas=deltas,
        overwrite_conflicts=bool(deltas) and ApplyJob.objects.get(pk=job.pk).overwrite_conflicts,
        known_pks=_known_pks(project, deltas),
        secrets=_secrets(project),
        databases=rules_for(project),
    )
    return Prepared(work, now, attachment_folders(project), refused)


def _files(project: Project) -> tuple[SnapshotFile, ...]:
    rows = File.objects.filter(project=project, file_type=FileType.PROJECT_FILE).select_related("latest_version")
    found: list[SnapshotFile] = []
    for row in rows.order_by("name"):
        version = row.latest_version
        if version is not None:
            blob = Blob(bytes(version.sha256sum), version.entity_tag, version.size)
            found.append(SnapshotFile(row.name, version.pk, blob))
    return tuple(found)


def _secrets(project: Project) -> tuple[SealedSecret, ...]:
    rows = Secret.objects.filter(project=project).order_by("name")
    return tuple(SealedSecret(row.name, row.type, bytes(row.value)) for row in rows)


def _project_filename(project: Project, files: tuple[SnapshotFile, ...]) -> str | None:
    names = [file.name for file in files]
    if project.project_filename in names:
        return project.project_filename
    candidates = [name for name in names if is_project_file(name)]
    return candidates[0] if len(candidates) == 1 else None


def _deltas(job: Job, project: Project) -> tuple[tuple[port.Delta, ...], tuple[dict[str, Any], ...]]:
    parts = ApplyJobDelta.objects.filter(apply_job=ApplyJob(pk=job.pk), status__in=["pending", "started"])
    parts.update(status=DeltaStatus.STARTED)
    deltas = list(Delta.objects.filter(job_deltas__in=parts).order_by("created_at", "id"))
    Delta.objects.filter(pk__in=[delta.pk for delta in deltas]).update(last_status=DeltaStatus.STARTED)
    authors = User.objects.filter(pk__in={delta.created_by_id for delta in deltas})
    roles = {author.pk: role_in(author, project) for author in authors}
    allowed: list[port.Delta] = []
    refused: list[dict[str, Any]] = []
    for delta in deltas:
        role = roles[delta.created_by_id]
        if is_allowed(role, delta_action(delta)):
            allowed.append(_plain(delta))
        else:
            refused.append(_unpermitted(delta, role))
    return tuple(allowed), tuple(refused)


def _unpermitted(delta: Delta, role: ProjectRole | None) -> dict[str, Any]:
    held = f"A {role.value}" if role else "A user without a role"
    feedback = {
        "msg": f"{held} is not permitted to {delta_action(delta).title}.",
        "status": "status_unpermitted",
        "delta_id": str(delta.pk),
        "method": delta.content.get("method"),
    }
    return {"delta_id": str(delta.pk), "status": DeltaStatus.UNPERMITTED, "feedback": feedback, "modified_pk": None}


def _plain(delta: Delta) -> port.Delta:
    return port.Delta(str(delta.pk), str(delta.deltafile_id), str(delta.client_id), delta.content)


def _known_pks(project: Project, deltas: tuple[port.Delta, ...]) -> dict[tuple[str, str, str], str]:
    """Return the keys that the source gave to features which these devices created in earlier jobs."""
    clients: set[uuid.UUID] = {uuid.UUID(delta.client_id) for delta in deltas}
    if not clients:
        return {}
    created = Delta.objects.filter(
        project=project,
        client_id__in=clients,
        last_status=DeltaStatus.APPLIED,
        last_modified_pk__isnull=False,
        content__method="create",
    ).order_by("created_at")
    known: dict[tuple[str, str, str], str] = {}
    layer, key = KT("content__localLayerId"), KT("content__localPk")
    for client_id, layer_id, local_pk, pk in created.values_list("client_id", layer, key, "last_modified_pk"):
        known[(str(client_id), str(layer_id), str(local_pk))] = str(pk)
    return known
