"""Every error is answered as `{"code", "message"}`; the codes are those that QFieldCloud's clients know.

`debug` is added with DEBUG only. A client's mistake is a 4xx, a store or database that cannot be reached a 503;
what is left is a fault of ours: logged with its traceback, answered with 500 `unknown_error`.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, cast

from django.conf import settings
from django.core import exceptions as django_exceptions
from django.db import DataError, IntegrityError, InterfaceError, OperationalError
from django.http import Http404, HttpRequest, JsonResponse
from rest_framework import exceptions, status
from rest_framework.response import Response

from ..storage.errors import RejectedError, StorageError, UploadTooLargeError

logger = logging.getLogger(__name__)


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


def first_sentence(detail: Any) -> str:
    """Make one line of the lists and dictionaries that validation answers with."""
    if isinstance(detail, Mapping):
        pairs = cast(Mapping[str, Any], detail)
        return "; ".join(f"{name}: {first_sentence(value)}" for name, value in pairs.items())
    if isinstance(detail, list | tuple):
        items = cast(Sequence[Any], detail)
        return " ".join(first_sentence(item) for item in items)
    return str(detail)


def _encodable(text: str) -> str:
    """Return the text without the lone surrogates that a client may have sent and an answer cannot carry."""
    return text.encode("utf-8", "replace").decode()


def _plain(error: exceptions.APIException) -> tuple[str, str]:
    """Name an error of the framework: our code, and what it says."""
    if isinstance(error, ApiError):
        return error.code, str(error.detail)
    if isinstance(error, exceptions.NotAuthenticated):
        return "not_authenticated", "Not authenticated"
    if isinstance(error, exceptions.AuthenticationFailed):
        return "token_authentication_failed", "Token authentication failed"
    if isinstance(error, exceptions.PermissionDenied):
        return PermissionDeniedError.code, PermissionDeniedError.message
    if isinstance(error, exceptions.NotFound):
        return ObjectNotFoundError.code, ObjectNotFoundError.message
    return ApiError.code, f"{ApiError.message}: {first_sentence(error.detail)}"


def _too_large(error: Exception) -> ApiError:
    return TooLargeError(str(error))


#: Foreign errors and what they are to a client; the first match counts.
TRANSLATIONS: tuple[tuple[type[Exception], Callable[[Exception], ApiError]], ...] = (
    (Http404, lambda _: ObjectNotFoundError()),
    (django_exceptions.ObjectDoesNotExist, lambda _: ObjectNotFoundError()),
    (django_exceptions.PermissionDenied, lambda _: PermissionDeniedError()),
    (django_exceptions.RequestDataTooBig, _too_large),
    (django_exceptions.TooManyFilesSent, lambda _: MultipleContentsError()),
    (django_exceptions.SuspiciousOperation, lambda error: InvalidInputError(str(error))),
    (
        django_exceptions.ValidationError,
        lambda error: InvalidInputError(first_sentence(getattr(error, "messages", ""))),
    ),
    (UploadTooLargeError, _too_large),
    (RejectedError, lambda error: InvalidInputError(str(error))),
    (RecursionError, lambda _: InvalidInputError("the body is nested too deeply")),
    (StorageError, lambda _: UnavailableError("the file store cannot be used")),
    (DataError, lambda _: InvalidInputError("a value is out of the range that can be stored")),
    (IntegrityError, lambda _: AlreadyExistsError("somebody else changed the same thing at the same time")),
    (OperationalError, lambda _: UnavailableError("the database cannot be used")),
    (InterfaceError, lambda _: UnavailableError("the database cannot be used")),
)


def translate(error: Exception) -> exceptions.APIException:
    """Return the error as one that has a status and a code."""
    if isinstance(error, exceptions.APIException):
        return error
    for foreign, make in TRANSLATIONS:
        if isinstance(error, foreign):
            return make(error)
    return UnknownError()


def exception_handler(error: Exception, context: Mapping[str, Any]) -> Response:
    """Answer an exception of a view; the framework calls this."""
    translated = translate(error)
    code, headers = translated.status_code, _headers(translated)
    if code >= status.HTTP_500_INTERNAL_SERVER_ERROR:
        logger.error("%s answered with %s", _where(context), code, exc_info=error)
    return Response(body(translated, context), status=code, headers=headers)


def body(error: exceptions.APIException, context: Mapping[str, Any]) -> dict[str, Any]:
    """Return the JSON object of an error."""
    code, message = _plain(error)
    answer: dict[str, Any] = {"code": code, "message": _encodable(message)}
    if settings.DEBUG:
        answer["debug"] = {
            "detail": _encodable(first_sentence(error.detail)),
            "request": repr(context.get("request")),
            "view": repr(context.get("view")),
            "args": [str(value) for value in context.get("args", ())],
            "kwargs": {name: str(value) for name, value in context.get("kwargs", {}).items()},
        }
    return answer


def _headers(error: exceptions.APIException) -> dict[str, str]:
    headers: dict[str, str] = {}
    if error.status_code == status.HTTP_401_UNAUTHORIZED:
        headers["WWW-Authenticate"] = "Token"
    if error.status_code == status.HTTP_503_SERVICE_UNAVAILABLE:
        headers["Retry-After"] = "5"
    return headers


def _where(context: Mapping[str, Any]) -> str:
    request = context.get("request")
    return f"{request.method} {request.path}" if request is not None else "a request"


def _page(error: ApiError) -> JsonResponse:
    return JsonResponse({"code": error.code, "message": str(error.detail)}, status=error.status_code)


def bad_request(request: HttpRequest, exception: Exception) -> JsonResponse:
    """Answer what Django refuses before a view sees it, for example a foreign Host header."""
    del request, exception
    return _page(InvalidInputError())


def not_found(request: HttpRequest, exception: Exception) -> JsonResponse:
    """Answer an address that is none."""
    del request, exception
    return _page(ObjectNotFoundError())


def server_error(request: HttpRequest) -> JsonResponse:
    """Answer a fault outside of the API's views."""
    del request
    return _page(UnknownError())
