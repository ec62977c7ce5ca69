"""Jobs: list, show, start."""

from __future__ import annotations

from uuid import UUID

from django.http.response import HttpResponseBase
from rest_framework.request import Request
from rest_framework.response import Response

from ...core import intake, jobs, quota
from ...core.models import Job, JobType, Project
from ...core.permissions import Action
from ..base import Fields, NodeView
from ..errors import NoDeltasToApplyError, NotSupportedError, ObjectNotFoundError
from ..long_lists import answer_all
from ..openapi import BODY, PROJECT, operation
from ..pagination import page_of
from ..refusals import check_has_data, check_has_qgis_file, refuse
from ..serializers.jobs import CREATE_PROJECT, JobDetailSerializer, JobQuery, JobSerializer, NewJobBody

#: The permission that a type of job requires: whoever may read a project may have it packaged.
ACTIONS = {JobType.PACKAGE: Action.PACKAGE, JobType.DELTA_APPLY: Action.APPLY_DELTAS}


class JobsView(NodeView):
    """`jobs/`."""

    @operation(
        "jobs_list",
        "Jobs of a project, the newest first",
        parameters=[JobQuery],
        answers={200: JobSerializer(many=True)},
        errors=PROJECT | {400},
        description="Older clients send `project_id` and `type` in the body of the request; this works too.",
    )
    def get(self, request: Request) -> HttpResponseBase:
        """List jobs."""
        query = self._read_query_or_body(request)
        project = self.access(query["project_id"], Action.READ_JOBS).project
        chosen = Job.objects.filter(project=project).defer("output", "feedback")
        if "type" in query:
            chosen = chosen.filter(type=query["type"])
        page = page_of(request, chosen.order_by("-created_at", "pk"), query)
        return answer_all(page.rows, JobSerializer(context=self.context).to_representation, page.headers)

    def _read_query_or_body(self, request: Request) -> Fields:
        if "project_id" in request.query_params or not request.data:
            return self.read_query(JobQuery)
        return self.read_body(JobQuery)

    @operation(
        "jobs_create",
        "Start a job, or return the open one",
        request=NewJobBody,
        answers={200: JobDetailSerializer, 201: JobDetailSerializer},
        errors=PROJECT | BODY | {402, 429},
    )
    def post(self, request: Request) -> Response:
        """Create a job."""
        del request
        fields = self.read_body(NewJobBody)
        if fields["type"] == CREATE_PROJECT:
            raise NotSupportedError("a project is complete once POST projects/ has answered; no job makes it")
        job_type = JobType(fields["type"])
        project = self.access(fields["project_id"], ACTIONS.get(job_type, Action.CREATE_JOBS)).project
        if job_type == JobType.PROCESS_PROJECTFILE:
            check_has_qgis_file(project)
        else:
            check_has_data(project)
        refuse(quota.refuses_job(project, job_type))
        self.count_synchronisation(project)
        requested = self._request(project, job_type, fields["force"])
        described = JobDetailSerializer(requested.job, context=self.context).data
        return Response(described, status=201 if requested.is_new else 200)

    def _request(self, project: Project, job_type: JobType, force: bool) -> jobs.Requested:
        if job_type == JobType.PACKAGE:
            return jobs.request_package(project, self.caller, force=force)
        if job_type == JobType.PROCESS_PROJECTFILE:
            return jobs.request_process_projectfile(project, self.caller)
        created = intake.apply_waiting(project, self.caller)
        if not created:
            raise NoDeltasToApplyError
        return jobs.Requested(created[0], True)


class JobView(NodeView):
    """`jobs/<id>/`."""

    @operation("jobs_retrieve", "A job with its output", answers={200: JobDetailSerializer}, errors=PROJECT)
    def get(self, request: Request, job_id: UUID) -> Response:
        """Describe the job."""
        del request
        job = Job.objects.filter(pk=job_id).first()
        if job is None:
            raise ObjectNotFoundError
        self.access(job.project_id, Action.READ_JOBS)
        return Response(JobDetailSerializer(job, context=self.context).data)
