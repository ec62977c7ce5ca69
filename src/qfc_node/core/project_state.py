"""The state of a project as clients see it: whether it is usable or busy, and whether its package is outdated."""

from __future__ import annotations

from typing import Literal

from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery

from .models import Job, JobStatus, JobType, Project, ProjectType
from .models.jobs import ACTIVE_STATUSES

STATUSES = Literal["ok", "busy", "failed"]


def with_state(projects: QuerySet[Project]) -> QuerySet[Project]:
    """Add the annotations that `status_of` and the shapes of projects need."""
    jobs = Job.objects.filter(project=OuterRef("pk"))
    shared = Project.objects.filter(owner=OuterRef("owner"), project_type=ProjectType.SHARED_DATASETS)
    reading = jobs.filter(type=JobType.PROCESS_PROJECTFILE, status=JobStatus.PENDING)
    return projects.annotate(
        is_busy=Exists(jobs.filter(status__in=ACTIVE_STATUSES)) | Exists(reading),
        has_details=Q(project_details__isnull=False),
        shared_datasets_id=Subquery(shared.order_by("created_at").values("pk")[:1]),
    )


def status_of(project: Project) -> STATUSES:
    """Return busy while a job runs on the project or its project file waits to be read; failed without a usable one."""
    if getattr(project, "is_busy", False):
        return "busy"
    if project.project_type == ProjectType.SHARED_DATASETS:
        return "ok"
    usable = project.project_filename and getattr(project, "has_details", False) and not project.problem
    return "ok" if usable else "failed"


def needs_repackaging(project: Project) -> bool:
    """Whether the package may lack changes: with data in a database or a service elsewhere, it always may."""
    packaged, updated = project.data_last_packaged_at, project.data_last_updated_at
    if packaged is None or updated is None or packaged < updated:
        return True
    return bool(project.has_online_vector_data)
