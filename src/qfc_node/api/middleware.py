"""What happens to every request before a view sees it."""

from __future__ import annotations

import uuid
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

Handler = Callable[[HttpRequest], HttpResponse]

#: Clients write API addresses with and without a trailing slash, POST included, so none is redirected.
PREFIX = "/api/"


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
        """Handle the request and name it in the answer."""
        response = self.get_response(request)
        response["X-Request-Id"] = request.headers.get("X-Request-Id", "")[:64] or uuid.uuid4().hex
        return response
