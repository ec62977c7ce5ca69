"""Writes the rows of users, projects, jobs and edits as the application would, without the application."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from qfc.errors import NotFoundError

from .lab_tables import Tables

PERSON, ORGANIZATION = 1, 2
#: The column of a project that leads to the row of its project file, since v26.21.
PROJECT_FILE = "the_qgis_file_id"


def make_user(tables: Tables, name: str, kind: int = PERSON) -> int:
    """Create the row of a user; return its id."""
    tables.insert("user", password="", is_superuser=False, username=name, first_name="", last_name="",
                  email=f"{name}@example.com", is_staff=False, is_active=True, date_joined=tables.now(),
                  type=kind)  # fmt: skip
    return user_id(tables, name)


def subscribe(tables: Tables, user: int, *, plan: str = "", kind: int = PERSON) -> None:
    """Create the account and the subscription of a user: to the named plan, or to the default one."""
    tables.insert("account", user_id=user, db_limit_mb=25, bio="", is_email_public=False, location="", twitter="",
                  company="", is_geodb_enabled=False, avatar_uri="", timezone="UTC")  # fmt: skip
    chosen = tables.ids("plan", code=plan) if plan else tables.ids("plan", is_default=True, user_type=kind)
    if not chosen:
        raise NotFoundError(f"There is no {f'plan {plan}' if plan else 'default plan'}.", hint="Type: qfc users plans")
    now = tables.now()
    tables.insert("subscription", uuid=str(uuid4()), account_id=user, plan_id=chosen[0], status="active_paid",
                  created_by_id=user, active_since=now, created_at=now, updated_at=now)  # fmt: skip


def make_project(tables: Tables, owner: int, name: str, *, made_at: datetime, **values: object) -> str:
    """Create a project; return its id. Given columns replace the values of a healthy one."""
    project = str(uuid4())
    healthy = _healthy_project(made_at, owner)
    if tables.is_number("project", "project_type"):
        # As it was before v26.24.
        healthy["project_type"] = 1
    tables.insert("project", **{**healthy, "id": project, "name": name, **values})
    if PROJECT_FILE in tables.columns("project"):
        make_file(tables, project, "survey.qgs", made_at=made_at)
    return project


def make_job(
    tables: Tables,
    project: str,
    status: str = "pending",
    *,
    author: int,
    made_at: datetime,
    type: str = "package",
    started_at: datetime | None = None,
    ended_at: datetime | None = None,
    feedback: Mapping[str, Any] | None = None,
    output: str | None = None,
    worker: str = "",
) -> str:
    """Create a job; return its id. On an official server the end of a failed one is that of its container."""
    job = str(uuid4())
    end = "finished_at" if tables.has_leases or status != "failed" else "docker_finished_at"
    tables.insert("job", id=job, created_at=made_at, updated_at=made_at, project_id=project, type=type,
                  status=status, created_by_id=author, triggered_by_id=author, output=output,
                  feedback=None if feedback is None else dict(feedback), started_at=started_at,
                  container_id=worker, **{end: ended_at})  # fmt: skip
    if type == "delta_apply":
        tables.insert("apply_job", job_ptr_id=job, overwrite_conflicts=True)
    return job


def make_delta(
    tables: Tables,
    project: str,
    status: str = "pending",
    *,
    author: int,
    made_at: datetime,
    job: str | None = None,
    content: Mapping[str, Any] | None = None,
    feedback: Mapping[str, Any] | None = None,
) -> str:
    """Create an edit, as part of an apply job if one is given; return its id."""
    delta = str(uuid4())
    sent = {"method": "create", "sourceLayerId": "trees_1", "uuid": delta, **(content or {})}
    tables.insert("delta", id=delta, deltafile_id=str(uuid4()), client_id=str(uuid4()), content=sent,
                  created_at=made_at, updated_at=made_at, project_id=project, created_by_id=author,
                  last_status=status, last_feedback=None if feedback is None else dict(feedback))  # fmt: skip
    if job is not None:
        tables.insert("apply_job_delta", apply_job_id=job, delta_id=delta, status=status)
    return delta


def make_file(tables: Tables, project: str, name: str, *sizes: int, made_at: datetime) -> None:
    """Create the rows of a project's file with versions of these sizes, the oldest first; the bytes do not exist."""
    file = _file(tables, project, name, made_at)
    for size in sizes:
        version = str(uuid4())
        tables.insert("file_version", id=version, file_id=file, content=f"projects/{project}/files/{name}",
                      size=size, etag="", uploaded_at=made_at, created_at=made_at,
                      md5sum=hashlib.md5(b"", usedforsecurity=False).digest(),
                      sha256sum=hashlib.sha256(b"").digest())  # fmt: skip
        tables.change("file", {"id": file}, latest_version_id=version)


def _file(tables: Tables, project: str, name: str, made_at: datetime) -> Any:
    """Return the id of a project's file, created if it does not exist; the first `.qgs` becomes its project file."""
    if not (known := tables.ids("file", project_id=project, name=name)):
        tables.insert("file", project_id=project, name=name, file_type=1, created_at=made_at, uploaded_at=made_at)
        known = tables.ids("file", project_id=project, name=name)
        if name.endswith((".qgs", ".qgz")) and tables.select("project", {"id": project}, [PROJECT_FILE]) == [
            {PROJECT_FILE: None}
        ]:
            tables.change("project", {"id": project}, **{PROJECT_FILE: known[0]})
    return known[0]


def user_id(tables: Tables, name: str) -> int:
    """Return the id of an account. Raises NotFoundError."""
    found = tables.ids("user", username=name)
    if not found:
        raise NotFoundError(f"There is no account named {name}.", hint="Type: qfc users list")
    return int(found[0])


def owner_of(tables: Tables, project: str) -> int:
    """Return the id of a project's owner. Raises NotFoundError."""
    found = tables.select("project", {"id": project}, ["owner_id"])
    if not found:
        raise NotFoundError(f"There is no project {project}.", hint="Type: qfc projects list")
    return int(found[0]["owner_id"])


def remove_projects(tables: Tables, projects: list[UUID]) -> None:
    """Remove projects with everything that belongs to them."""
    jobs = tables.ids("job", project_id=projects)
    deltas, files = tables.ids("delta", project_id=projects), tables.ids("file", project_id=projects)
    tables.delete("apply_job_delta", {"apply_job_id": jobs})
    tables.delete("apply_job_delta", {"delta_id": deltas})
    for child in ("apply_job", "package_job", "processing_job"):
        tables.delete(child, {"job_ptr_id": jobs})
    tables.delete("delta", {"id": deltas})
    if files:
        tables.change("file", {"id": files}, latest_version_id=None)
        if PROJECT_FILE in tables.columns("project"):
            tables.change("project", {"id": projects}, **{PROJECT_FILE: None})
    tables.delete("file_version", {"file_id": files})
    tables.delete("file", {"id": files})
    tables.delete("job", {"id": jobs})
    tables.delete("secret", {"project_id": projects})
    tables.delete("project", {"id": projects})


def remove_user(tables: Tables, user: int) -> None:
    """Remove an account that no longer has projects."""
    # A repair with `users quota` may have given the account storage.
    tables.delete("package", {"subscription_id": tables.ids("subscription", account_id=user)})
    tables.delete("subscription", {"account_id": user})
    tables.delete("member", {"organization_id": user})
    tables.delete("member", {"member_id": user})
    tables.delete("token", {"user_id": user})
    tables.delete("account", {"user_id": user})
    for child in ("organization", "person"):
        tables.delete(child, {"user_ptr_id": user})
    tables.delete("user", {"id": user})


def _healthy_project(made_at: datetime, owner: int) -> dict[str, object]:
    return {
        "description": "",
        "created_at": made_at,
        "updated_at": made_at,
        "owner_id": owner,
        "overwrite_conflicts": True,
        "is_public": False,
        "project_filename": "survey.qgs",
        "the_qgis_file_name": "survey.qgs",
        "project_details": {},
        "thumbnail_uri": "",
        "repackaging_cache_expire": timedelta(hours=1),
        "file_storage_bytes": 0,
        "packaging_offliner": "pythonmini",
        "has_restricted_projectfiles": False,
        "project_type": "regular",
        "file_storage": "default",
        "attachments_file_storage": "default",
    }
