"""The processing of every request before a view sees it."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from ..logs import request_id

Handler = Callable[[HttpRequest], HttpResponse]

#: Clients use API URLs with and without a trailing slash, also in POST requests, which must not be redirected.
PREFIX = "/api/"
GIVEN_NAME = re.compile(r"[A-Za-z0-9_.-]{1,64}")


def trailing_slash(get_response: Handler) -> Handler:
    """Treat `/api/v1/projects` as `/api/v1/projects/`."""

    def handle(request: HttpRequest) -> HttpResponse:
        if request.path_info.startswith(PREFIX) and not request.path_info.endswith("/"):
            request.path_info += "/"
            request.path += "/"
        return get_response(request)

    return handle


class RequestIdMiddleware:
    """Adds `X-Request-Id` to responses, so that operators can find a request that a user reports in the log."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Handle the request; its id is in the log and in the response."""
        name = _name_of(request)
        token = request_id.set(name)
        try:
            response = self.get_response(request)
        finally:
            request_id.reset(token)
        response["X-Request-Id"] = name
        return response


def _name_of(request: HttpRequest) -> str:
    """Return the id that a proxy gave the request, else a new one."""
    given = request.headers.get("X-Request-Id", "")
    return given if GIVEN_NAME.fullmatch(given) else uuid.uuid4().hex
