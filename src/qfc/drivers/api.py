"""The HTTP API of a stack, with the standard library alone: importing more would slow `qfc status` down."""

from __future__ import annotations

import http.client
import json
import logging
import secrets
import socket
import ssl
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import BinaryIO
from urllib.parse import quote, urlsplit

from ..errors import UnknownNameError, UnreachableError, UntrustedError
from ..stack.model import ApiAnswer, ApiRequest, Upload
from ..stack.ports import Api

log = logging.getLogger("qfc.http")
#: Larger than any answer that the suite reads into memory.
MAXIMUM_BYTES = 64 * 1024 * 1024
CHUNK = 256 * 1024


@dataclass(frozen=True)
class Route:
    """A route to a server: an address other than that of its name, and the trusted certificates."""

    address: str | None = None
    port: int | None = None
    context: ssl.SSLContext | None = None
    headers: Mapping[str, str] = field(default_factory=dict[str, str], repr=False)


class HttpApi(Api):
    """Sends requests to the server at a URL. `shown` is the address for clients on other machines, if it differs."""

    def __init__(self, url: str, route: Route | None = None, *, shown: str | None = None) -> None:
        self._url, self._shown = url.rstrip("/"), shown
        self._route = route or Route()

    @property
    def url(self) -> str:
        return self._shown or self._url

    def get(self, path: str, *, timeout_s: float = 5) -> ApiAnswer:
        return self.send(ApiRequest("GET", path), timeout_s=timeout_s)

    def send(self, request: ApiRequest, *, timeout_s: float = 30, sink: BinaryIO | None = None) -> ApiAnswer:
        began = time.perf_counter()
        connection = self._connection(timeout_s)
        body, headers = _body(request)
        try:
            target = f"/{request.path.lstrip('/')}"
            connection.request(request.method, target, body=body, headers={**headers, **self._route.headers})
            response = connection.getresponse()
            content, size = _read(response, sink)
        except ssl.SSLCertVerificationError as error:
            raise UntrustedError(
                f"The certificate of {self._url} is not trusted: {error.verify_message}.", hint="Type: qfc certs status"
            ) from error
        except socket.gaierror as error:
            raise UnknownNameError(
                f"The host name of {self._url} cannot be resolved from here.",
                hint="Check DNS, or set public_host of the stack.",
            ) from error
        except (OSError, http.client.HTTPException) as error:
            raise UnreachableError(
                f"{self._url} does not answer.", hint="See: qfc status, qfc logs --service app"
            ) from error
        finally:
            connection.close()
        answer = ApiAnswer(response.status, time.perf_counter() - began, content, size, _headers(response))
        log.info("%s %s%s → %d in %.0f ms", request.method, self._url, target, answer.status, answer.seconds * 1000)
        return answer

    def _connection(self, timeout_s: float) -> http.client.HTTPConnection:
        parts = urlsplit(self._url)
        name = parts.hostname or ""
        if parts.scheme == "https":
            context = self._route.context or ssl.create_default_context()
            return _Https(name, parts.port, timeout=timeout_s, context=context, route=self._route)
        return _Http(name, parts.port, timeout=timeout_s, route=self._route)


class _Http(http.client.HTTPConnection):
    """A connection to the address of the route, with the name of the server in `Host`."""

    def __init__(self, host: str, port: int | None, *, timeout: float, route: Route) -> None:
        super().__init__(host, port, timeout=timeout)
        self._route = route

    def connect(self) -> None:
        self.sock = _dial(self._route, self.host, self.port, self.timeout or 0)


class _Https(http.client.HTTPSConnection):
    """The same with TLS: the certificate must match the name of the server, whatever the address of the route."""

    def __init__(self, host: str, port: int | None, *, timeout: float, context: ssl.SSLContext, route: Route) -> None:
        super().__init__(host, port, timeout=timeout, context=context)
        self._route, self._trust = route, context

    def connect(self) -> None:
        plain = _dial(self._route, self.host, self.port, self.timeout or 0)
        self.sock = self._trust.wrap_socket(plain, server_hostname=self.host)


def _dial(route: Route, host: str, port: int, timeout_s: float) -> socket.socket:
    connection = socket.create_connection((route.address or host, route.port or port), timeout_s)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


def _body(request: ApiRequest) -> tuple[bytes | Iterator[bytes] | None, dict[str, str]]:
    """Return the body to send, in pieces if it is a file, and its headers."""
    headers = {"Accept": "application/json", "User-Agent": "qfc", **request.headers}
    if request.token:
        headers["Authorization"] = f"Token {request.token}"
    if request.upload is not None:
        boundary = secrets.token_hex(16)
        head, tail = _form(request.upload, boundary)
        headers["Content-Type"] = f"multipart/form-data; boundary={boundary}"
        headers["Content-Length"] = str(len(head) + request.upload.size + len(tail))
        return _pieces(head, request.upload, tail), headers
    if request.document is not None:
        headers["Content-Type"] = "application/json"
        return json.dumps(request.document).encode(), headers
    if request.method in ("POST", "PUT", "PATCH"):
        headers["Content-Length"] = "0"
    return None, headers


def _form(upload: Upload, boundary: str) -> tuple[bytes, bytes]:
    """Return the bytes before and after a file in a form (RFC 7578)."""
    name = upload.name.rpartition("/")[2].replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")
    disposition = f'Content-Disposition: form-data; name="file"; filename="{name}"'
    head = f"--{boundary}\r\n{disposition}\r\nContent-Type: application/octet-stream\r\n\r\n"
    return head.encode(), f"\r\n--{boundary}--\r\n".encode()


def _pieces(head: bytes, upload: Upload, tail: bytes) -> Iterator[bytes]:
    yield head
    rest = upload.size
    while rest > 0 and (chunk := upload.content.read(min(CHUNK, rest))):
        rest -= len(chunk)
        yield chunk
    if rest:
        raise OSError(f"{upload.name} shrank while it was being sent")
    yield tail


def _read(response: http.client.HTTPResponse, sink: BinaryIO | None) -> tuple[bytes, int]:
    """Read the body into memory, or that of a 2xx answer to the sink; return the bytes in memory and the total size."""
    if sink is None or not 200 <= response.status < 300:
        content = response.read(MAXIMUM_BYTES)
        return content, len(content)
    size = 0
    while chunk := response.read(CHUNK):
        sink.write(chunk)
        size += len(chunk)
    return b"", size


def _headers(response: http.client.HTTPResponse) -> dict[str, str]:
    """Return the headers by their names in lower case; several of one name, such as cookies, are joined."""
    found: dict[str, str] = {}
    for name, value in response.getheaders():
        known = found.get(name.lower())
        found[name.lower()] = value if known is None else f"{known}, {value}"
    return found


def path_of(*parts: str) -> str:
    """Return a path of the API from its parts, quoted except for the slashes in file names."""
    return "/".join(["/api/v1", *(quote(part, safe="/") for part in parts)])
