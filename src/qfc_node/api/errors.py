"""The errors of the API, with the codes that QFieldCloud's clients know.

Mistakes of a client are answered with 4xx, an unreachable store or database with 503. `error_answers` answers them.
"""

from __future__ import annotations

import math
from typing import ClassVar

from rest_framework import exceptions, status


class ApiError(exceptions.APIException):
    """An error with a code that clients know. If given, `detail` is added to the message."""

    status_code: int = status.HTTP_400_BAD_REQUEST
    code: ClassVar[str] = "api_error"
    message: ClassVar[str] = "API Error"

    def __init__(self, detail: str = "") -> None:
        super().__init__(f"{self.message}: {detail}" if detail else self.message)


class AuthenticationFailedError(ApiError):
    """The name or the password is wrong."""

    status_code = status.HTTP_401_UNAUTHORIZED
    code = "authentication_failed"
    message = "Authentication failed"


class TooManyFailedLoginAttemptsError(ApiError):
    """The account is locked for a while."""

    status_code = status.HTTP_401_UNAUTHORIZED
    code = "too_many_failed_login_attempts"
    message = "Too many failed login attempts"


class ObjectNotFoundError(ApiError):
    """The object does not exist, or the caller must not know of it."""

    status_code = status.HTTP_404_NOT_FOUND
    code = "object_not_found"
    message = "Object not found"


class PermissionDeniedError(ApiError):
    """The caller's role does not allow the request."""

    status_code = status.HTTP_403_FORBIDDEN
    code = "permission_denied"
    message = "Permission denied"


class InactiveAccountError(ApiError):
    """The owner's account was deactivated."""

    status_code = status.HTTP_403_FORBIDDEN
    code = "permission_denied_inactive"
    message = "Permission denied because the owner's account is not active"


class InactiveSubscriptionError(ApiError):
    """The owner's subscription is not active."""

    status_code = status.HTTP_403_FORBIDDEN
    code = "inactive_subscription"
    message = "Permission denied because the subscription is inactive"


class PlanInsufficientError(ApiError):
    """The owner's plan does not allow the request."""

    status_code = status.HTTP_403_FORBIDDEN
    code = "permission_denied_plan_insufficient"
    message = "Permission denied because the plan is not sufficient"


class OverQuotaError(ApiError):
    """The owner's storage is full."""

    status_code = status.HTTP_402_PAYMENT_REQUIRED
    code = "over_quota"
    message = "Quota error"


class EmptyContentError(ApiError):
    """A request that must carry a file carries none."""

    code = "empty_content"
    message = "Empty content"


class MultipleContentsError(ApiError):
    """A request that must carry one file carries several."""

    code = "multiple_contents"
    message = "Multiple contents"


class InvalidInputError(ApiError):
    """The request is well-formed, but its content is invalid."""

    code = "validation_error"
    message = "Validation error"


class MultipleProjectsError(ApiError):
    """The project would have a second QGIS project file."""

    code = "multiple_projects"
    message = "Multiple projects"


class InvalidQgisProjectFileError(ApiError):
    """The uploaded project file is not one of QGIS."""

    code = "invalid_qgis_project_file"
    message = "Invalid QGIS project file"


class QgisProjectFileNotAllowedError(ApiError):
    """A project of shared datasets has no QGIS file."""

    code = "qgis_project_file_not_allowed"
    message = "QGIS project files are not allowed in this project"


class RestrictedProjectModificationError(ApiError):
    """Only managers may change the QGIS file of this project and the files that belong to it."""

    status_code = status.HTTP_403_FORBIDDEN
    code = "restricted_project_modification"
    message = "Restricted project modification"


class InvalidDeltafileError(ApiError):
    """The deltafile was refused as a whole. The message is only the detail, because devices show it."""

    code = "invalid_deltafile"
    message = "Invalid deltafile"

    def __init__(self, detail: str) -> None:
        super().__init__()
        self.detail = detail


class DeltafileTooLargeError(InvalidDeltafileError):
    """The deltafile exceeds a limit of the node."""

    status_code = status.HTTP_413_REQUEST_ENTITY_TOO_LARGE


class NoDeltasToApplyError(ApiError):
    """No delta is waiting to be applied."""

    code = "no_deltas_to_apply"
    message = "No deltas to apply"


class NoQgisProjectError(ApiError):
    """The project has no QGIS project file, without which it cannot be packaged."""

    code = "no_qgis_project"
    message = "The project does not contain a valid QGIS project file"


class TemplateProjectError(ApiError):
    """A template is only copied: nobody packages it or edits its data."""

    code = "operation_not_allowed_for_template_project"
    message = "This operation is not allowed on a template project"


class NotSupportedError(ApiError):
    """The official server can do it, the node cannot."""

    code = "not_supported"
    message = "This server does not support this"


class NotCloneableProjectError(ApiError):
    """The project cannot be copied."""

    code = "not_cloneable_project"
    message = "This project cannot be cloned"


class LastVersionError(ApiError):
    """The only version of a file cannot be deleted by its id; the file can."""

    code = "explicit_deletion_of_last_version"
    message = "The only version of a file cannot be deleted by its id; delete the file"


class InvalidJobError(ApiError):
    """The job that the request refers to does not exist or did not succeed."""

    code = "invalid_job"
    message = "Invalid job"


class ProjectAlreadyExistsError(ApiError):
    """The owner already has a project of that name."""

    code = "project_already_exists"
    message = "This user already owns a project with the same name."


class AlreadyExistsError(ApiError):
    """The name is already taken."""

    status_code = status.HTTP_409_CONFLICT
    code = "validation_error"
    message = "Already exists"


class MemberLimitError(ApiError):
    """The organization's plan allows no more members."""

    code = "organization_has_max_number_of_members"
    message = "The organization has the maximum number of members"


class TooManyRequestsError(ApiError):
    """A limit of the operator is exceeded; a client may send the request again after `wait_s` seconds."""

    status_code = status.HTTP_429_TOO_MANY_REQUESTS
    code = "too_many_requests"
    message = "Too many synchronisations"

    def __init__(self, wait_s: float) -> None:
        self.wait_s = max(1, math.ceil(wait_s))
        super().__init__(f"try again in {self.wait_s} s; nothing is lost")


class UnavailableError(ApiError):
    """The database or the file store cannot be reached now."""

    status_code = status.HTTP_503_SERVICE_UNAVAILABLE
    code = "status_not_ok"
    message = "The server is not available"


class TooLargeError(ApiError):
    """The request is larger than the node accepts."""

    status_code = status.HTTP_413_REQUEST_ENTITY_TOO_LARGE
    message = "Too large"


class UnknownError(ApiError):
    """A fault of the server."""

    status_code = status.HTTP_500_INTERNAL_SERVER_ERROR
    code = "unknown_error"
    message = "QFieldcloud Unknown Error"
