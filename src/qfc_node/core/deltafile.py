"""Read deltafiles. A file is accepted or refused as a whole; the message of a refusal says what is wrong.

Small files are read at once. Large ones are read twice, delta by delta: first all is checked, then all is stored. So
the memory that a file takes does not depend on its size.
"""

from __future__ import annotations

import hashlib
import json
import math
import uuid
from collections.abc import Callable, Collection, Generator, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from typing import Any, BinaryIO, NoReturn, cast

from .json_stream import Guard, JsonLimits, JsonStream, TooLargeJsonError
from .json_text import is_storable, without_nul

VERSION = "1.0"
METHODS = ("create", "patch", "delete")
#: Larger files are read delta by delta.
AT_ONCE_BYTES = 512 * 1024
#: Real deltas have six levels.
MAX_DEPTH = 32
#: Values and lists of one delta; a layer of 1000 fields has 2000 of them.
MAX_VALUES = 20_000


@dataclass(frozen=True)
class DeltafileLimits:
    """The operator's limits of one file."""

    file_bytes: int = 128 * 1024**2
    deltas: int = 50_000
    geometry_bytes: int = 16 * 1024**2
    attribute_bytes: int = 4 * 1024**2

    @property
    def of_one_delta(self) -> JsonLimits:
        """What one delta may have: two geometries and some large attributes."""
        return JsonLimits(MAX_DEPTH, 2 * self.geometry_bytes + 4 * self.attribute_bytes, MAX_VALUES)


DEFAULTS = DeltafileLimits()


class DeltafileError(Exception):
    """The file is not a valid deltafile; the message says why."""


class DeltafileTooLargeError(DeltafileError):
    """The file exceeds a limit; the message names it."""


@dataclass(frozen=True)
class SentDelta:
    """One delta of a file. `content` is the object as the device wrote it."""

    id: uuid.UUID
    client_id: uuid.UUID
    content: dict[str, Any]

    @property
    def method(self) -> str:
        """The method: create, patch or delete."""
        return self.content["method"]

    def geometry(self, side: str) -> str | None:
        """Return the WKT before (`old`) or after (`new`) the edit."""
        state = cast(dict[str, Any], self.content.get(side) or {})
        return state.get("geometry")


@dataclass(frozen=True)
class Deltafile:
    """A file that a device sent. `deltas` are in the order in which the user made the edits."""

    id: uuid.UUID
    project_id: uuid.UUID
    deltas: Collection[SentDelta]


def read_deltafile(
    source: bytes | Callable[[], BinaryIO], limits: DeltafileLimits = DEFAULTS, size: int | None = None
) -> Deltafile:
    """Parse and check a deltafile: bytes, or what opens a file of that size. Raises DeltafileError."""
    opens = (lambda: BytesIO(source)) if isinstance(source, bytes) else source
    length = len(source) if isinstance(source, bytes) else size or 0
    if length > limits.file_bytes:
        raise DeltafileTooLargeError(f"A deltafile may have at most {limits.file_bytes} bytes; send several files.")
    if length > AT_ONCE_BYTES:
        return _read_in_parts(opens, limits)
    with opens() as file:
        return _read_at_once(file.read(), limits)


def _read_at_once(raw: bytes, limits: DeltafileLimits) -> Deltafile:
    document = _object(_load(raw, limits), "The file")
    deltas = document.get("deltas")
    if document.get("version") == VERSION and not isinstance(deltas, list):
        raise DeltafileError("`deltas` must be a list.")
    file_id, project_id = _identity(document)
    items = cast(list[Any], deltas)
    return Deltafile(file_id, project_id, tuple(_checked(items, limits, {})))


def _identity(document: Mapping[str, Any]) -> tuple[uuid.UUID, uuid.UUID]:
    if document.get("version") != VERSION:
        raise DeltafileError(f"`version` must be {VERSION!r}, not {_short(document.get('version'))}.")
    return _uuid(document, "id", "The file"), _uuid(document, "project", "The file")


@dataclass(frozen=True)
class LargeDeltas(Collection[SentDelta]):
    """The deltas of a large file, read from it each time."""

    opens: Callable[[], BinaryIO]
    limits: DeltafileLimits
    count: int

    def __iter__(self) -> Iterator[SentDelta]:
        with self.opens() as file:
            items = (item for name, item in _members(file, self.limits) if name == "deltas")
            yield from _checked(items, self.limits, {})

    def __len__(self) -> int:
        return self.count

    def __contains__(self, item: object) -> bool:
        return any(delta == item for delta in self)


def _read_in_parts(opens: Callable[[], BinaryIO], limits: DeltafileLimits) -> Deltafile:
    document: dict[str, Any] = {}
    with opens() as file:
        count = sum(1 for _ in _checked(_deltas_of(file, document, limits), limits, {}))
    file_id, project_id = _identity(document)
    return Deltafile(file_id, project_id, LargeDeltas(opens, limits, count))


def _deltas_of(file: BinaryIO, document: dict[str, Any], limits: DeltafileLimits) -> Iterator[Any]:
    """Yield the deltas; put the other members into the document."""
    for name, value in _members(file, limits):
        if name == "deltas":
            yield value
        else:
            document[name] = value


def _members(file: BinaryIO, limits: DeltafileLimits) -> Iterator[tuple[str, Any]]:
    decoder = json.JSONDecoder(parse_constant=_refuse_number, parse_float=_finite)
    with _explained():
        for name, value in JsonStream(file, "deltas", decoder, limits.of_one_delta).members():
            yield name, value if is_storable(value) else without_nul(value)


def _checked(items: Iterable[Any], limits: DeltafileLimits, seen: dict[uuid.UUID, bytes]) -> Iterator[SentDelta]:
    """Yield each delta once. Raises DeltafileError for the first one that is wrong."""
    for index, item in enumerate(items):
        if index >= limits.deltas:
            raise DeltafileTooLargeError(f"A deltafile may have at most {limits.deltas} deltas; send several files.")
        delta = _delta(item, f"Delta #{index}", limits)
        digest = _digest(delta.content)
        if seen.setdefault(delta.id, digest) != digest:
            raise DeltafileError(f"Two different deltas have the uuid {delta.id}.")
        if seen[delta.id] is digest:
            yield delta


def _digest(content: dict[str, Any]) -> bytes:
    return hashlib.blake2b(json.dumps(content, sort_keys=True).encode(), digest_size=16).digest()


def _load(raw: bytes, limits: DeltafileLimits) -> Any:
    if not raw:
        raise DeltafileError("The file is empty.")
    with _explained():
        Guard(limits.of_one_delta).check(raw)
        document = json.loads(raw, parse_constant=_refuse_number, parse_float=_finite)
        # A device repeats a refused file for ever: one bad character must not hold up its other edits.
        return document if is_storable(document) else without_nul(document)


@contextmanager
def _explained() -> Generator[None]:
    try:
        yield
    except TooLargeJsonError as error:
        raise DeltafileTooLargeError(f"The file is too large: {error}.") from error
    except UnicodeError as error:
        raise DeltafileError(f"The file is not UTF-8: {error}.") from error
    except RecursionError as error:
        raise DeltafileError("The file is nested too deeply.") from error
    except ValueError as error:
        raise DeltafileError(f"The file is not JSON: {error}.") from error


def _refuse_number(name: str) -> NoReturn:
    raise DeltafileError(f"{name} is not a JSON number.")


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise DeltafileError(f"The number {text[:40]} is too large.")
    return value


def _delta(item: Any, where: str, limits: DeltafileLimits) -> SentDelta:
    content = _object(item, where)
    method = content.get("method")
    if method not in METHODS:
        raise DeltafileError(f"{where}: `method` must be create, patch or delete, not {_short(method)}.")
    _check_layer(content, where)
    for side in ("old", "new"):
        _check_state(content, side, where)
        _check_sizes(content, side, where, limits)
    if method != "delete" and content.get("new") is None:
        raise DeltafileError(f"{where}: a {method} must have `new`.")
    _check_keys(content, method, where)
    return SentDelta(_uuid(content, "uuid", where), _uuid(content, "clientId", where), content)


def _check_layer(content: Mapping[str, Any], where: str) -> None:
    layers = [content.get(key) or "" for key in ("localLayerId", "sourceLayerId")]
    if not all(isinstance(layer, str) for layer in layers):
        raise DeltafileError(f"{where}: `localLayerId` and `sourceLayerId` must be text.")
    if not any(layers):
        raise DeltafileError(f"{where}: `localLayerId` is missing.")


def _check_keys(content: Mapping[str, Any], method: str, where: str) -> None:
    keys = [content.get(key) for key in ("localPk", "sourcePk")]
    if any(isinstance(key, dict | list | bool) for key in keys):
        raise DeltafileError(f"{where}: `localPk` and `sourcePk` must be text.")
    if method != "create" and all(key in (None, "") for key in keys):
        raise DeltafileError(f"{where}: a {method} must have `localPk` or `sourcePk`.")


def _check_state(content: Mapping[str, Any], side: str, where: str) -> None:
    state: Any = content.get(side)
    if state is None:
        return
    fields = _object(state, f"{where}: `{side}`")
    if not isinstance(fields.get("attributes") or {}, dict):
        raise DeltafileError(f"{where}: `{side}.attributes` must be an object.")
    if not isinstance(fields.get("geometry") or "", str):
        raise DeltafileError(f"{where}: `{side}.geometry` must be WKT or null.")


def _check_sizes(content: Mapping[str, Any], side: str, where: str, limits: DeltafileLimits) -> None:
    state: Mapping[str, Any] = content.get(side) or {}
    if len(state.get("geometry") or "") > limits.geometry_bytes:
        raise DeltafileTooLargeError(f"{where}: a geometry may have at most {limits.geometry_bytes} bytes.")
    attributes: Mapping[str, Any] = state.get("attributes") or {}
    for name, value in attributes.items():
        if isinstance(value, str) and len(value) > limits.attribute_bytes:
            raise DeltafileTooLargeError(
                f"{where}: the attribute {_short(name)} may have at most {limits.attribute_bytes} bytes."
            )


def _object(value: Any, where: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise DeltafileError(f"{where} must be an object, not {_short(value)}.")
    return cast(dict[str, Any], value)


def _uuid(document: Mapping[str, Any], key: str, where: str) -> uuid.UUID:
    value = document.get(key)
    if not isinstance(value, str):
        raise DeltafileError(f"{where}: `{key}` must be a UUID, not {_short(value)}.")
    try:
        return uuid.UUID(value)
    except ValueError as error:
        raise DeltafileError(f"{where}: `{key}` must be a UUID, not {_short(value)}.") from error


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}…"
