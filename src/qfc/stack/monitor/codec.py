"""Turns what a monitor knows into JSON and back, by the types of the fields."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import datetime
from enum import StrEnum
from functools import cache
from types import NoneType, UnionType
from typing import Any, TypeVar, Union, cast, get_args, get_origin, get_type_hints

Thing = TypeVar("Thing")


def document(value: object) -> Any:
    """Return a value as JSON knows it. Fields with their default are left out: most of a look is as usual."""
    if is_dataclass(value) and not isinstance(value, type):
        named = ((one.name, getattr(value, one.name), one.default) for one in fields(value))
        return {name: document(given) for name, given, default in named if given != default and given != ()}
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {key: document(one) for key, one in cast("Mapping[str, object]", value).items()}
    if isinstance(value, tuple):
        return [document(one) for one in cast("tuple[object, ...]", value)]
    return value.value if isinstance(value, StrEnum) else value


def restored(of: type[Thing], given: Any) -> Thing:
    """Return the value of a document. Raises ValueError for anything else than what `document` returns for it."""
    try:
        return cast("Thing", _restored(of, given))
    except (TypeError, KeyError, AttributeError) as error:
        raise ValueError(f"not a {of.__name__}: {error}") from error


def _restored(of: Any, given: Any) -> Any:
    origin, parts = get_origin(of), get_args(of)
    if origin in (Union, UnionType):
        return None if given is None else _restored(next(one for one in parts if one is not NoneType), given)
    if origin is tuple:
        return tuple(_restored(parts[0], one) for one in given)
    if origin is not None and issubclass(origin, Mapping):
        return {str(key): _restored(parts[1], one) for key, one in given.items()}
    if is_dataclass(of):
        hints = _hints(cast("type[Any]", of))
        return cast("Any", of)(**{name: _restored(hints[name], one) for name, one in given.items()})
    if of is datetime:
        return datetime.fromisoformat(given)
    if of is float:
        return float(given)
    return of(given) if isinstance(of, type) and issubclass(of, StrEnum) else given


@cache
def _hints(of: type[Any]) -> dict[str, Any]:
    return get_type_hints(of)
