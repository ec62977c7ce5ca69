"""Serves the tools over standard input and output, or over HTTP with a token."""

from __future__ import annotations

import hmac
from pathlib import Path
from typing import Any

import anyio
import uvicorn
from mcp.server import Server
from mcp.server.stdio import stdio_server
from starlette.types import ASGIApp, Receive, Scope, Send

#: The greatest size of a request; a call is a few names and numbers.
MOST_BYTES = 1_000_000


def over_stdio(server: Server[dict[str, Any]]) -> None:
    """Serve one client until it closes standard input."""

    async def serve() -> None:
        async with stdio_server() as (reading, writing):
            await server.run(reading, writing, server.create_initialization_options())

    anyio.run(serve)


def over_http(server: Server[dict[str, Any]], host: str, port: int, token: str) -> None:
    """Serve clients that know the token, until the process is ended."""
    app = server.streamable_http_app(host=host, max_request_body_size=MOST_BYTES)
    uvicorn.run(Guarded(app, token), host=host, port=port, log_level="warning", server_header=False)


class Guarded:
    """An application behind a token: every request needs `Authorization: Bearer TOKEN`."""

    def __init__(self, app: ASGIApp, token: str) -> None:
        self._app = app
        self._expected = f"Bearer {token}".encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and not self._is_known(scope):
            await _refuse(send)
            return
        await self._app(scope, receive, send)

    def _is_known(self, scope: Scope) -> bool:
        given = [value for name, value in scope["headers"] if name == b"authorization"]
        return len(given) == 1 and hmac.compare_digest(given[0], self._expected)


async def _refuse(send: Send) -> None:
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"www-authenticate", b"Bearer")]
    await send({"type": "http.response.start", "status": 401, "headers": headers})
    await send({"type": "http.response.body", "body": b"The token is missing or wrong: Authorization: Bearer TOKEN\n"})


def token_in(path: Path) -> str:
    """Return the token in a file; empty if the file is."""
    return path.read_text(encoding="utf-8").strip()
