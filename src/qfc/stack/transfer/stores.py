"""Which file stores two servers have in common, by their settings. Pure.

Only addresses that are the same for everybody tell: `http://minio:9000` is another store on each machine.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any, cast

#: Names that only mean something on a machine or in its network.
NEAR = (".local", ".internal", ".localhost", ".lan")
URL = re.compile(r"[a-z]+://(?:[^/@]*@)?(?P<host>[^/@:]+|\[[^]]*\])(?P<port>:\d+)?(?P<path>/[^?#]*)?", re.IGNORECASE)
PRIVATE = re.compile(r"(?:10|127|192\.168|169\.254|172\.(?:1[6-9]|2\d|3[01]))\.[\d.]+")
CLOUD = "the cloud provider's own store"


def in_common(ours: Mapping[str, str], theirs: Mapping[str, str]) -> tuple[str, ...]:
    """Return the buckets and folders that the settings of both servers name."""
    return tuple(sorted(set(_places(ours)) & set(_places(theirs))))


def _places(settings: Mapping[str, str]) -> Iterator[str]:
    """Yield where the stores of a server are, as far as another machine would find the same there."""
    for options in _stores(settings):
        webdav, bucket = str(options.get("webdav_url") or ""), str(options.get("bucket_name") or "")
        url = webdav or str(options.get("endpoint_url") or "")
        parts = URL.match(url)
        if "$" in bucket + url or (url and not (parts and _is_public(parts["host"]))):
            continue
        if webdav and parts:
            yield f"{_host(parts)}{(parts['path'] or '').rstrip('/')}"
        elif bucket:
            yield f"{bucket} at {(_host(parts) if parts else '') or CLOUD}"


def _stores(settings: Mapping[str, str]) -> Iterator[Mapping[str, Any]]:
    if not settings.get("STORAGES", "").strip():
        names = {"bucket_name": "STORAGE_BUCKET_NAME", "endpoint_url": "STORAGE_ENDPOINT_URL"}
        yield {option: settings.get(name, "") for option, name in names.items()}
        return
    document: object = None
    with suppress(ValueError):
        document = json.loads(settings["STORAGES"])
    for store in cast("dict[str, Any]", document).values() if isinstance(document, dict) else ():
        options: object = cast("dict[str, Any]", store).get("OPTIONS") if isinstance(store, dict) else None
        if isinstance(options, dict):
            yield cast("dict[str, Any]", options)


def _host(parts: re.Match[str]) -> str:
    """Return host and port; empty for the cloud provider's own store."""
    host = parts["host"].lower()
    return "" if host.endswith(".amazonaws.com") else host + (parts["port"] or "")


def _is_public(host: str) -> bool:
    return "." in host and not host.lower().endswith(NEAR) and not PRIVATE.fullmatch(host)
