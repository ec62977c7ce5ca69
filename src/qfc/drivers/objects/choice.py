"""The file stores in a deployment's settings, S3 or WebDAV, in the notation of any release.

`STORAGES` (JSON, since 2025) defines stores, `STORAGES_PROJECT_DEFAULT_STORAGE` names the default one. Earlier releases
have a single store, in `STORAGE_*`. `MINIO_*` and `OBJECT_STORAGE_*` are the accounts of the store's own container, not
settings of the application.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, BinaryIO, cast
from urllib.parse import unquote, urlsplit, urlunsplit

from ...errors import ConfigError, UsageError
from ...stack.model import StoreFacts
from ...stack.ports import ObjectStore
from .s3 import Bucket, S3ObjectStore
from .webdav import WebDav, WebDavObjectStore

DEFAULT = "default"
#: The required settings of a bucket.
NEEDED = ("bucket_name", "access_key", "secret_key")
HINT = "Correct it in .env, then type: qfc services recreate --service app"
#: Turns an address that containers use into one that this machine uses.
Here = Callable[[str], str]


@dataclass(frozen=True)
class NamedStore:
    """A store of the settings."""

    name: str
    place: Bucket | WebDav

    @property
    def endpoint(self) -> str:
        """The URL for containers; empty for the cloud provider's own store."""
        return self.place.endpoint or "" if isinstance(self.place, Bucket) else self.place.url

    @property
    def open_endpoint(self) -> str:
        """The same without credentials, for display."""
        parts = urlsplit(self.endpoint)
        return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))


def stores_of(environment: Mapping[str, str]) -> dict[str, NamedStore]:
    """Return every store in the settings by name, the default first. Raises ConfigError."""
    if environment.get("STORAGES", "").strip():
        found = _named(environment["STORAGES"])
        usual = environment.get("STORAGES_PROJECT_DEFAULT_STORAGE") or DEFAULT
        if usual not in found:
            raise ConfigError([f"STORAGES has no store {usual}; it has {', '.join(found) or 'none'}."], hint=HINT)
        return {usual: found.pop(usual), **found}
    return {DEFAULT: NamedStore(DEFAULT, _legacy(environment))}


def facts_of(environment: Mapping[str, str]) -> list[StoreFacts]:
    """Return the facts of every store in the settings, the default first. Raises ConfigError."""
    found = stores_of(environment).values()
    return [StoreFacts(one.name, "webdav" if isinstance(one.place, WebDav) else "s3", one.endpoint) for one in found]


def open_store(environment: Mapping[str, str], here: Here) -> ObjectStore:
    """Return the default store, as reached from here. Raises ConfigError."""
    return opened(next(iter(stores_of(environment).values())), here)


def opened(store: NamedStore, here: Here, *, below: str = "") -> ObjectStore:
    """Return a store, as reached from here; with `below`, only what is below that folder (`folder/`) of it."""
    place = store.place
    if isinstance(place, WebDav):
        found = WebDavObjectStore(WebDav(here(place.url), place.user, place.password))
        return FolderOf(found, below) if below else found
    endpoint, prefix = here(place.endpoint) if place.endpoint else None, place.prefix + below
    return S3ObjectStore(Bucket(place.name, place.access_key, place.secret_key, endpoint, place.region, prefix))


class FolderOf(ObjectStore):
    """A folder (`folder/`) of another store."""

    def __init__(self, store: ObjectStore, folder: str) -> None:
        self._store, self._folder = store, folder

    def put(self, key: str, content: BinaryIO) -> int:
        return self._store.put(self._name(key), content)

    def get(self, key: str) -> BinaryIO:
        return self._store.get(self._name(key))

    def keys(self, prefix: str = "") -> Iterator[tuple[str, int]]:
        for key, size in self._store.keys(self._folder + prefix):
            yield key.removeprefix(self._folder), size

    def delete(self, key: str) -> None:
        self._store.delete(self._name(key))

    def _name(self, key: str) -> str:
        if not key or key.startswith("/"):
            raise UsageError(f"{key!r} is not a valid key.", hint="Use relative names such as a/b/c.")
        return self._folder + key


def _named(text: str) -> dict[str, NamedStore]:
    try:
        document: Any = json.loads(text)
    except ValueError as error:
        raise ConfigError([f"STORAGES is not valid JSON: {error}"], hint=HINT) from error
    if not isinstance(document, dict):
        raise ConfigError(["STORAGES must be an object with one entry per store."], hint=HINT)
    stores = cast("dict[str, dict[str, Any]]", document)
    problems = [problem for name, store in stores.items() for problem in _problems(name, store)]
    if problems:
        raise ConfigError(problems, hint=HINT)
    return {name: NamedStore(name, _place(store)) for name, store in stores.items()}


def _problems(name: str, store: object) -> list[str]:
    """Return the settings that a store lacks."""
    options: object = cast("dict[str, object]", store).get("OPTIONS") if isinstance(store, dict) else None
    if not isinstance(options, dict):
        return [f"STORAGES.{name} lacks OPTIONS."]
    given = cast("dict[str, object]", options)
    return [] if "webdav_url" in given else [f"STORAGES.{name} lacks {one}." for one in NEEDED if not given.get(one)]


def _place(store: Mapping[str, Any]) -> Bucket | WebDav:
    options = cast("dict[str, Any]", store["OPTIONS"])
    if "webdav_url" in options:
        return _webdav(options)
    return Bucket(
        name=options["bucket_name"],
        access_key=options["access_key"],
        secret_key=options["secret_key"],
        endpoint=options.get("endpoint_url") or None,
        region=options.get("region_name") or None,
    )


def _webdav(options: Mapping[str, Any]) -> WebDav:
    """Read a WebDAV store; before 2026-08 the account was part of the URL."""
    parts = urlsplit(str(options["webdav_url"]))
    user = str(options.get("username") or unquote(parts.username or ""))
    password = str(options.get("password") or unquote(parts.password or ""))
    host = parts.netloc.rpartition("@")[2]
    return WebDav(urlunsplit((parts.scheme, host, parts.path, "", "")), user, password)


def _legacy(environment: Mapping[str, str]) -> Bucket:
    names = ("STORAGE_BUCKET_NAME", "STORAGE_ACCESS_KEY_ID", "STORAGE_SECRET_ACCESS_KEY")
    missing = [f"Neither {name} nor STORAGES is set." for name in names if not environment.get(name)]
    if missing:
        raise ConfigError(missing, hint=HINT)
    bucket, access, secret = (environment[name] for name in names)
    endpoint, region = environment.get("STORAGE_ENDPOINT_URL"), environment.get("STORAGE_REGION_NAME")
    return Bucket(bucket, access, secret, endpoint or None, region or None)
