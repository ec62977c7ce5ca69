"""The HTTP API of a stack, with the standard library: `qfc status` has no time to import more."""

from __future__ import annotations

import http.client
import logging
import ssl
import time
from urllib.parse import urlsplit

from ..errors import UnreachableError
from ..stack.model import ApiAnswer

log = logging.getLogger("qfc.http")
#: More than any answer that the suite reads.
MAXIMUM_BYTES = 64 * 1024 * 1024


class HttpApi:
    """Asks the server at a URL."""

    def __init__(self, url: str) -> None:
        self._url = url.rstrip("/")

    @property
    def url(self) -> str:
        """Return the address of the server, without a slash at its end."""
        return self._url

    def get(self, path: str, *, timeout_s: float = 5) -> ApiAnswer:
        """Answer a GET, whatever its status. Raises UnreachableError when nobody answers in time."""
        began = time.perf_counter()
        connection = self._connection(timeout_s)
        try:
            connection.request(
                "GET", f"/{path.lstrip('/')}", headers={"Accept": "application/json", "User-Agent": "qfc"}
            )
            response = connection.getresponse()
            content = response.read(MAXIMUM_BYTES)
        except (OSError, http.client.HTTPException) as error:
            raise UnreachableError(
                f"{self._url} does not answer.", hint="See: qfc status, qfc logs --service app"
            ) from error
        finally:
            connection.close()
        answer = ApiAnswer(response.status, time.perf_counter() - began, content)
        log.info("GET %s/%s → %d in %.0f ms", self._url, path.lstrip("/"), answer.status, answer.seconds * 1000)
        return answer

    def _connection(self, timeout_s: float) -> http.client.HTTPConnection:
        parts = urlsplit(self._url)
        if parts.scheme == "https":
            context = ssl.create_default_context()
            return http.client.HTTPSConnection(parts.hostname or "", parts.port, timeout=timeout_s, context=context)
        return http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=timeout_s)
