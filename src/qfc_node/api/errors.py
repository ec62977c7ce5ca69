"""The errors of the API: one class a code. The codes are those that QFieldCloud's clients know.

A client's mistake is a 4xx, a store or database that cannot be reached a 503. How they are answered: `error_answers`.
"""

from __future__ import annotations

from typing import ClassVar

from rest_framework import exceptions, status


class ApiError(exceptions.APIException):
    """An error with a code that clients know. `detail`, when given, is added to the message."""

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
    """There is no such thing, or none that the caller may know of."""

    status_code = status.HTTP_404_NOT_FOUND
    code = "object_not_found"
    message = "Object not found"


class PermissionDeniedError(ApiError):
    """The caller's role does not allow it."""

    status_code = status.HTTP_403_FORBIDDEN
    code = "permission_denied"
    message = "Permission denied"


class InactiveSubscriptionError(ApiError):
    """The owner's subscription is not active."""

    status_code = status.HTTP_403_FORBIDDEN
    code = "inactive_subscription"
    message = "Permission denied because the subscription is inactive"


class PlanInsufficientError(ApiError):
    """The owner's plan does not include it."""

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
    """The request is well formed, but what it says cannot be."""

    code = "validation_error"
    message = "Validation error"


class MultipleProjectsError(ApiError):
    """A second QGIS project file in one project."""

    code = "multiple_projects"
    message = "Multiple projects"


class RestrictedProjectModificationError(ApiError):
    """The project reserves changes of its QGIS file to managers."""

    code = "restricted_project_modification"
    message = "Restricted project modification"


class InvalidDeltafileError(ApiError):
    """The deltafile cannot be taken; nothing of it was stored. The message is the detail alone, as devices show it."""

    code = "invalid_deltafile"
    message = "Invalid deltafile"

    def __init__(self, detail: str) -> None:
        super().__init__()
        self.detail = detail


class NoDeltasToApplyError(ApiError):
    """No delta waits to be applied."""

    code = "no_deltas_to_apply"
    message = "No deltas to apply"


class NoQgisProjectError(ApiError):
    """Nothing can be packaged without a QGIS project file."""

    code = "no_qgis_project"
    message = "The project does not contain a valid QGIS project file"


class InvalidJobError(ApiError):
    """The job that the request needs does not exist or did not succeed."""

    code = "invalid_job"
    message = "Invalid job"


class ProjectAlreadyExistsError(ApiError):
    """Names of projects are unique within their owner."""

    code = "project_already_exists"
    message = "This user already owns a project with the same name."


class AlreadyExistsError(ApiError):
    """The name is taken."""

    status_code = status.HTTP_409_CONFLICT
    code = "validation_error"
    message = "Already exists"


class MemberLimitError(ApiError):
    """The organization's plan allows no more members."""

    code = "organization_has_max_number_of_members"
    message = "The organization has the maximum number of members"


class UnavailableError(ApiError):
    """The database or the store cannot be reached now."""

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
