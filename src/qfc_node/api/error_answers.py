"""Answer every error as `{"code", "message"}`; only DEBUG adds `debug`.

Errors of other libraries are translated here. All others are faults of the node: they are logged with their traceback
and answered with 500 `unknown_error`.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

from django.conf import settings
from django.core import exceptions as django_exceptions
from django.db import DataError, IntegrityError, InterfaceError, OperationalError
from django.http import Http404, HttpRequest, JsonResponse
from rest_framework import exceptions, status
from rest_framework.response import Response

from ..storage.errors import InvalidProjectFileError, NoRoomError, RejectedError, StorageError, UploadTooLargeError
from .errors import (
    AlreadyExistsError,
    ApiError,
    InvalidInputError,
    InvalidQgisProjectFileError,
    MultipleContentsError,
    ObjectNotFoundError,
    PermissionDeniedError,
    TooLargeError,
    TooManyRequestsError,
    UnavailableError,
    UnknownError,
)

logger = logging.getLogger(__name__)


def first_sentence(detail: Any) -> str:
    """Return the lists and dictionaries of a validation error as one line."""
    if isinstance(detail, Mapping):
        pairs = cast(Mapping[str, Any], detail)
        return "; ".join(f"{name}: {first_sentence(value)}" for name, value in pairs.items())
    if isinstance(detail, list | tuple):
        items = cast(Sequence[Any], detail)
        return " ".join(first_sentence(item) for item in items)
    return str(detail)


def _encodable(text: str) -> str:
    """Return the text without lone surrogates, which a client may send but a response cannot contain."""
    return text.encode("utf-8", "replace").decode()


def _plain(error: exceptions.APIException) -> tuple[str, str]:
    """Return our code and the message for an error of the framework."""
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


#: Errors of other libraries, and our errors that clients get for them; the first match counts.
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
    (InvalidProjectFileError, lambda error: InvalidQgisProjectFileError(str(error))),
    (RejectedError, lambda error: InvalidInputError(str(error))),
    (RecursionError, lambda _: InvalidInputError("the body is nested too deeply")),
    (NoRoomError, lambda _: UnavailableError("its disk is full")),
    (StorageError, lambda _: UnavailableError("the file store cannot be used")),
    (DataError, lambda _: InvalidInputError("a value is outside the range that can be stored")),
    (IntegrityError, lambda _: AlreadyExistsError("another request changed the same data at the same time")),
    (OperationalError, lambda _: UnavailableError("the database cannot be used")),
    (InterfaceError, lambda _: UnavailableError("the database cannot be used")),
)


def translate(error: Exception) -> exceptions.APIException:
    """Translate an error into one with a status and a code."""
    if isinstance(error, exceptions.APIException):
        return error
    for foreign, make in TRANSLATIONS:
        if isinstance(error, foreign):
            return make(error)
    return UnknownError()


def exception_handler(error: Exception, context: Mapping[str, Any]) -> Response:
    """Return the response to an exception of a view; the framework calls this."""
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
    if isinstance(error, TooManyRequestsError):
        headers["Retry-After"] = str(error.wait_s)
    if error.status_code == status.HTTP_503_SERVICE_UNAVAILABLE:
        headers["Retry-After"] = "5"
    return headers


def _where(context: Mapping[str, Any]) -> str:
    request = context.get("request")
    return f"{request.method} {request.path}" if request is not None else "a request"


def _page(error: ApiError) -> JsonResponse:
    return JsonResponse({"code": error.code, "message": str(error.detail)}, status=error.status_code)


def bad_request(request: HttpRequest, exception: Exception) -> JsonResponse:
    """Answer a request that Django refuses before a view sees it, for example for an unknown Host header."""
    del request, exception
    return _page(InvalidInputError())


def not_found(request: HttpRequest, exception: Exception) -> JsonResponse:
    """Answer a request for an unknown URL."""
    del request, exception
    return _page(ObjectNotFoundError())


def server_error(request: HttpRequest) -> JsonResponse:
    """Answer a request after a fault outside the API's views."""
    del request
    return _page(UnknownError())
