"""Reads what `nginx -T` prints: which size of a request each server of nginx takes."""

from __future__ import annotations

import re
from collections.abc import Iterator

#: What nginx takes unless its files say otherwise.
BY_DEFAULT = 1024**2
_TOKEN = re.compile(r"#[^\n]*|\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*'|[{};]|[^\s{};]+")
_SIZE = re.compile(r"(\d+)([kmg]?)", re.IGNORECASE)
_UNITS = {"": 1, "k": 1024, "m": 1024**2, "g": 1024**3}
LIMIT = "client_max_body_size"


def body_limit(text: str, port: int) -> int | None:
    """Return the bytes that nginx takes at a port: the least of its servers there. 0 is any number, None no server."""
    outer, found = BY_DEFAULT, list[int | None]()
    for path, words in _directives(text):
        if words[0] == LIMIT and path == ("http",):
            outer = _bytes(words[1])
    for server in _servers(text):
        listens = {_port(words[1]) for words in server if words[0] == "listen"}
        if port in listens:
            found.append(next((_bytes(words[1]) for words in server if words[0] == LIMIT), None))
    limits = [outer if one is None else one for one in found]
    return min(limits, key=lambda one: one or float("inf")) if limits else None


def _servers(text: str) -> list[list[list[str]]]:
    """Return the directives of each server, without those of its locations."""
    servers: list[list[list[str]]] = []
    for path, words in _directives(text):
        if words == ["{server}"]:
            servers.append([])
        elif path[-1:] == ("server",) and servers:
            servers[-1].append(words)
    return servers


def _directives(text: str) -> Iterator[tuple[tuple[str, ...], list[str]]]:
    """Yield each directive with the blocks around it; the beginning of a server as `{server}`.

    The files that `nginx -T` prints follow one another: a file that another one includes counts as part of `http`.
    """
    path: list[str] = []
    words: list[str] = []
    for token in _TOKEN.findall(text):
        if token.startswith("#"):
            continue
        if token == "{":
            path.append(words[0] if words else "")
            if path[-1] == "server":
                yield tuple(path[:-1]), ["{server}"]
            words = []
        elif token == "}":
            path, words = path[:-1], []
        elif token == ";":
            if words:
                yield (tuple(path) or ("http",)), words
            words = []
        else:
            words.append(token.strip("\"'"))


def _bytes(size: str) -> int:
    found = _SIZE.fullmatch(size)
    return int(found[1]) * _UNITS[found[2].lower()] if found else BY_DEFAULT


def _port(listen: str) -> int:
    last = listen.rpartition(":")[2]
    return int(last) if last.isdigit() else 80
