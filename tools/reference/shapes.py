"""The shape of a JSON answer, read from the types of the result that a command writes."""

from __future__ import annotations

import types
from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from datetime import datetime
from enum import Enum
from pathlib import Path, PurePath
from typing import Any, Union, cast, get_args, get_origin, get_type_hints

from qfc.stack.model import Service

#: An answer longer than this is written with one key per line.
WIDTH = 100
WORDS: Mapping[object, str] = {
    str: "text", int: "whole number", float: "number", bool: "true or false", datetime: "time", Path: "path",
    PurePath: "path", Any: "anything", type(None): "null",
}  # fmt: skip


def keys(result: type, *left_out: str) -> dict[str, object]:
    """Return the keys of a result with the types of their values."""
    hints = get_type_hints(result)
    found: dict[str, object] = {field.name: hints[field.name] for field in fields(result) if field.name not in left_out}
    # The only property that `--json` writes in addition to the fields.
    return {**found, "running": int} if result is Service else found


def shape(value: object, indent: int = 0) -> str:
    """Write a type, or a structure of types, as JSON with words in place of values."""
    if isinstance(value, str):
        return value
    if isinstance(value, dict):
        return _object(cast("Mapping[str, object]", value), indent)
    if isinstance(value, list):
        return f"[{shape(cast('list[object]', value)[0], indent)}, …]"
    return _of_type(value, indent)


def _of_type(hint: Any, indent: int) -> str:
    if hint in WORDS:
        return WORDS[hint]
    if isinstance(hint, type) and is_dataclass(hint):
        return _object(keys(hint), indent)
    if isinstance(hint, type) and issubclass(hint, Enum):
        return " or ".join(f'"{one.value}"' for one in hint)
    return _of_generic(hint, indent)


def _of_generic(hint: Any, indent: int) -> str:
    origin, parts = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        return " or ".join(shape(part, indent) for part in parts)
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return f"{{name: {shape(parts[1], indent)}, …}}"
    if isinstance(origin, type) and issubclass(origin, Sequence):
        return f"[{shape(parts[0], indent)}, …]"
    raise TypeError(f"{hint!r} has no entry in WORDS of {__file__}")


def _object(found: Mapping[str, object], indent: int) -> str:
    """Write an object on one line if it fits, else with one key per line."""
    one_line = "{" + ", ".join(f'"{key}": {shape(item)}' for key, item in found.items()) + "}"
    if len(one_line) + indent <= WIDTH and "\n" not in one_line:
        return one_line
    margin = " " * (indent + 2)
    lines = [f'{margin}"{key}": {shape(item, indent + 2)}' for key, item in found.items()]
    return "{\n" + ",\n".join(lines) + "\n" + " " * indent + "}"
