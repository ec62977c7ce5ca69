"""Refusals before a view sees a request, in the form of the API's own errors."""

# pyright: reportUnknownMemberType=false
# (waitress has no types)
from __future__ import annotations

import json

from .library import Error


class RefusedError(Error):
    """A refusal before a view sees the request."""

    def __init__(self, code: int, reason: str, name: str, message: str) -> None:
        super().__init__(message)
        self.code, self.reason, self.name = code, reason, name

    def to_response(self, ident: str | None = None) -> tuple[str, list[tuple[str, str]], bytes]:
        """Return status, headers and body."""
        del ident
        headers = [("Content-Type", "application/json")]
        if self.code == 401:
            headers.append(("WWW-Authenticate", "Token"))
        if self.code == 503:
            headers.append(("Retry-After", "5"))
        body = json.dumps({"code": self.name, "message": str(self.body)})
        return f"{self.code} {self.reason}", headers, body.encode()


def not_available(why: str) -> RefusedError:
    """Return the refusal of a request that may succeed later; clients try again."""
    return RefusedError(503, "Service Unavailable", "status_not_ok", f"The server is not available: {why}")


def not_authenticated() -> RefusedError:
    """Return the refusal of a body that needs a token."""
    return RefusedError(401, "Unauthorized", "not_authenticated", "Not authenticated")


def not_known() -> RefusedError:
    """Return the refusal of a token or session that nobody has."""
    return RefusedError(401, "Unauthorized", "token_authentication_failed", "Token authentication failed")
