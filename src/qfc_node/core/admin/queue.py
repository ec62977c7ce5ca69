"""The queue: jobs, deltas, workers."""

from __future__ import annotations

from collections import defaultdict
from typing import Any
from uuid import UUID

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from .. import intake, jobs
from ..models import ApplyJob, ApplyJobDelta, Delta, Job, JobType, Project, User, Worker
from .base import ReadOnlyAdmin, Table


class JobDeltasInline(Table[ApplyJobDelta]):
    """Deltas of a job."""

    model = ApplyJobDelta
    fields = readonly_fields = ("delta", "status", "modified_pk", "feedback")
    extra = 0
    can_delete = False

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Refuse: only the intake adds deltas to jobs."""
        del request, obj
        return False


@admin.register(Job)
class JobAdmin(ReadOnlyAdmin[Job]):
    """Jobs of all types."""

    list_display = ("id", "type", "status", "project", "created_by", "created_at", "started_at", "finished_at")
    list_filter = ("status", "type", "created_at")
    search_fields = ("id", "project__id", "project__name", "created_by__username")
    list_select_related = ("project__owner", "created_by")
    ordering = ("-created_at",)
    actions = ("retry",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Job]:
        """Leave outputs out of lists, because they may be long."""
        return super().get_queryset(request).defer("output", "feedback", "project__project_details")

    @admin.action(description="Retry the selected jobs")
    def retry(self, request: HttpRequest, chosen: QuerySet[Job]) -> None:
        """Run failed and stopped jobs again; their deltas go into a new job, each only once."""
        retried = 0
        for job in chosen:
            if job.type == JobType.DELTA_APPLY:
                retried += bool(_reapply(Delta.objects.filter(job_deltas__apply_job=ApplyJob(pk=job.pk)), request))
            else:
                retried += jobs.retry(job)
        self.message_user(request, f"{retried} of {chosen.count()} jobs will be retried.")


@admin.register(ApplyJob)
class ApplyJobAdmin(JobAdmin):
    """Jobs that apply deltas, with their deltas."""

    inlines = (JobDeltasInline,)
    actions = ()


@admin.register(Delta)
class DeltaAdmin(ReadOnlyAdmin[Delta]):
    """Deltas that devices sent, and their status."""

    list_display = ("id", "last_status", "project", "created_by", "created_at", "deltafile_id", "client_id")
    list_filter = ("last_status", "created_at")
    search_fields = ("id", "deltafile_id", "client_id", "project__id", "project__name", "created_by__username")
    list_select_related = ("project__owner", "created_by")
    ordering = ("-created_at",)
    actions = ("reapply", "ignore")

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Refuse: a delta is never deleted; it can be ignored."""
        del request, obj
        return False

    @admin.action(description="Apply the selected deltas again")
    def reapply(self, request: HttpRequest, chosen: QuerySet[Delta]) -> None:
        """Create jobs for the deltas that were not applied and are in no open job."""
        created = _reapply(chosen, request)
        self.message_user(request, f"Jobs created: {created}. Deltas that are applied or in an open job are unchanged.")

    @admin.action(description="Ignore the selected deltas")
    def ignore(self, request: HttpRequest, chosen: QuerySet[Delta]) -> None:
        """Keep the deltas but never apply them."""
        ignored = sum(intake.ignore(project, ids) for project, ids in _by_project(chosen))
        self.message_user(request, f"Deltas ignored: {ignored}.")


def _by_project(chosen: QuerySet[Delta]) -> list[tuple[Project, list[UUID]]]:
    ids: dict[UUID, list[UUID]] = defaultdict(list)
    for delta_id, project_id in chosen.values_list("pk", "project_id"):
        ids[project_id].append(delta_id)
    projects = Project.objects.defer("project_details").in_bulk(list(ids))
    return [(projects[project_id], deltas) for project_id, deltas in ids.items()]


def _reapply(chosen: QuerySet[Delta], request: HttpRequest) -> int:
    user = User.objects.get(pk=request.user.pk)
    return sum(len(intake.reapply(project, ids, user)) for project, ids in _by_project(chosen))


@admin.register(Worker)
class WorkerAdmin(ReadOnlyAdmin[Worker]):
    """Workers that are running, or ended a moment ago."""

    list_display = ("id", "host", "pid", "state", "release", "started_at", "heartbeat_at")
    list_filter = ("state", "release")
