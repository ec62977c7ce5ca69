"""What happens to every request before a view sees it."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from ..logs import request_id

Handler = Callable[[HttpRequest], HttpResponse]

#: Clients write API addresses with and without a trailing slash, POST included, so none is redirected.
PREFIX = "/api/"
GIVEN_NAME = re.compile(r"[A-Za-z0-9_.-]{1,64}")


def trailing_slash(get_response: Handler) -> Handler:
    """Let `/api/v1/projects` mean `/api/v1/projects/`."""

    def handle(request: HttpRequest) -> HttpResponse:
        if request.path_info.startswith(PREFIX) and not request.path_info.endswith("/"):
            request.path_info += "/"
            request.path += "/"
        return get_response(request)

    return handle


class RequestIdMiddleware:
    """Answers carry `X-Request-Id`, so that a report of a user can be found in the log."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Handle the request and name it in the log and in the answer."""
        name = _name_of(request)
        token = request_id.set(name)
        try:
            response = self.get_response(request)
        finally:
            request_id.reset(token)
        response["X-Request-Id"] = name
        return response


def _name_of(request: HttpRequest) -> str:
    """Return the name that a proxy in front gave the request, else a new one."""
    given = request.headers.get("X-Request-Id", "")
    return given if GIVEN_NAME.fullmatch(given) else uuid.uuid4().hex
