"""One line in the log for each request, whatever server runs the application."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

Handler = Callable[[HttpRequest], HttpResponse]

log = logging.getLogger("qfc_node.requests")
#: Probes ask for this every few seconds; only a bad answer is worth a line.
PROBED = "/api/v1/status/"
#: Below this, addresses hold secrets: the link of an e-mail for a new password.
SECRET_PREFIX = "/accounts/password/reset/"


class RequestLogMiddleware:
    """Logs method, path, status and milliseconds: never a query, a header or a body, which may hold secrets."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Handle the request, then log it; one that fails is logged by Django."""
        began = time.perf_counter()
        response = self.get_response(request)
        if request.path != PROBED or response.status_code >= 400:
            taken_ms = (time.perf_counter() - began) * 1000
            log.info("%s %s → %d in %.0f ms", request.method, shown(request.path), response.status_code, taken_ms)
        return response


def shown(path: str) -> str:
    """Return a path as the log may show it."""
    return f"{SECRET_PREFIX}…" if path.startswith(SECRET_PREFIX) and path != SECRET_PREFIX else path
