"""Refuse what a quota or the kind of a project does not allow, with errors that clients know."""

from __future__ import annotations

from ..core.models import Project, ProjectType
from ..core.quota import Refusal
from .errors import (
    ApiError,
    InactiveAccountError,
    InactiveSubscriptionError,
    NoQgisProjectError,
    OverQuotaError,
    PlanInsufficientError,
    TemplateProjectError,
)

ERRORS: dict[Refusal, type[ApiError]] = {
    Refusal.ACCOUNT: InactiveAccountError,
    Refusal.INACTIVE: InactiveSubscriptionError,
    Refusal.OVER_QUOTA: OverQuotaError,
    Refusal.PLAN: PlanInsufficientError,
}


def check_has_data(project: Project) -> None:
    """Check that the project can be packaged and edited. Raises TemplateProjectError or NoQgisProjectError."""
    if project.project_type == ProjectType.TEMPLATE:
        raise TemplateProjectError
    check_has_qgis_file(project)


def check_has_qgis_file(project: Project) -> None:
    """Check that there is a QGIS file. Raises NoQgisProjectError."""
    if not project.project_filename:
        raise NoQgisProjectError


def refuse(refusal: Refusal | None) -> None:
    """Raise the error for a refusal; do nothing without one."""
    if refusal is not None:
        raise ERRORS[refusal]
