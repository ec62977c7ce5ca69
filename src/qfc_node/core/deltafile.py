"""Read deltafiles. A file is accepted or refused as a whole; the message of a refusal says what is wrong."""

from __future__ import annotations

import json
import math
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NoReturn, cast

from .json_text import is_storable, without_nul

VERSION = "1.0"
METHODS = ("create", "patch", "delete")
#: A device's busiest day stays far below.
MAX_BYTES = 256 * 1024**2


class DeltafileError(Exception):
    """The file is not a valid deltafile; the message says why."""


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
    deltas: tuple[SentDelta, ...]


def read_deltafile(raw: bytes) -> Deltafile:
    """Parse and check a deltafile. Raises DeltafileError."""
    document = _object(_load(raw), "The file")
    if document.get("version") != VERSION:
        raise DeltafileError(f"`version` must be {VERSION!r}, not {_short(document.get('version'))}.")
    deltas = document.get("deltas")
    if not isinstance(deltas, list):
        raise DeltafileError("`deltas` must be a list.")
    items = cast(list[Any], deltas)
    return Deltafile(
        id=_uuid(document, "id", "The file"),
        project_id=_uuid(document, "project", "The file"),
        deltas=_without_repetitions([_delta(item, f"Delta #{index}") for index, item in enumerate(items)]),
    )


def _load(raw: bytes) -> Any:
    if not raw:
        raise DeltafileError("The file is empty.")
    try:
        document = json.loads(raw, parse_constant=_refuse_number, parse_float=_finite)
        # A device repeats a refused file for ever: one bad character must not hold up its other edits.
        return document if is_storable(document) else without_nul(document)
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


def _delta(item: Any, where: str) -> SentDelta:
    content = _object(item, where)
    method = content.get("method")
    if method not in METHODS:
        raise DeltafileError(f"{where}: `method` must be create, patch or delete, not {_short(method)}.")
    _check_layer(content, where)
    for side in ("old", "new"):
        _check_state(content, side, where)
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


def _without_repetitions(deltas: list[SentDelta]) -> tuple[SentDelta, ...]:
    unique: dict[uuid.UUID, SentDelta] = {}
    for delta in deltas:
        first = unique.setdefault(delta.id, delta)
        if first.content != delta.content:
            raise DeltafileError(f"Two different deltas have the uuid {delta.id}.")
    return tuple(unique.values())


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}…"
