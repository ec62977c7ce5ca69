"""Settings as fields of dataclasses: the metadata describes each of them, and this module interprets it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, field, fields
from functools import cache
from types import MappingProxyType
from typing import Any, NamedTuple, TypeVar, cast

from ..stack.model import Kind
from .values import Value

Thing = TypeVar("Thing")
Default = TypeVar("Default")

#: The default of a setting that the creator of the table computes.
WORKED_OUT: Any = MISSING
EVERY_KIND = frozenset(Kind)
#: Key of a field's metadata.
_SETTING = "qfc"


class Setting(NamedTuple):
    """The description of one setting, besides its name and default.

    `meaning` and `otherwise` (what applies without it) are phrases in lower case. `kinds` are the kinds of stack that
    have it. `older_variable` is its name in set-ups before this suite; `variable` replaces the derived name of its
    variable.
    """

    value: Value[Any]
    meaning: str
    otherwise: str
    example: str | int
    kinds: frozenset[Kind]
    variable: str | None
    older_variable: str | None

    @property
    def sentence(self) -> str:
        """The meaning, and what applies without the setting."""
        return f"{self.meaning}; without it, {self.otherwise}" if self.otherwise else self.meaning


def setting(
    value: Value[Thing],
    default: Default,
    meaning: str,
    *,
    example: str | int,
    otherwise: str = "",
    kinds: frozenset[Kind] = EVERY_KIND,
    variable: str | None = None,
    older_variable: str | None = None,
) -> Thing | Default:
    """Return the field of a setting: how it is read, its default, its meaning. For the rest see `Setting`."""
    about = Setting(value, meaning, otherwise, example, kinds, variable, older_variable)
    return cast("Thing | Default", field(default=default, metadata={_SETTING: about}))


@cache
def settings_of(table: type[Any]) -> Mapping[str, Setting]:
    """Return the settings of a table by name, in the order of its class."""
    return MappingProxyType({one.name: one.metadata[_SETTING] for one in fields(table) if _SETTING in one.metadata})


def variable_of(table: type[Any], name: str, *, prefix: str = "") -> str:
    """Return the variable that overrides a setting: QFC_ and its name, preceded by that of its table, if any."""
    words = ("QFC", prefix, name) if prefix else ("QFC", name)
    return settings_of(table)[name].variable or "_".join(words).upper()


def from_environment(table: type[Any], environment: Mapping[str, str], *, prefix: str = "") -> dict[str, str]:
    """Return the settings that the environment defines; an empty variable counts as missing."""
    found = {name: environment.get(variable_of(table, name, prefix=prefix)) for name in settings_of(table)}
    return {name: value for name, value in found.items() if value}


def parsed(table: type[Any], given: Mapping[str, object], problems: list[str], *, where: str = "") -> dict[str, Any]:
    """Return the given values as read by the settings, by name; None counts as not given.

    Wrong values and unknown names are added to `problems` and left out. `where` is the name of the table.
    """
    settings, values = settings_of(table), dict[str, Any]()
    for name, about in settings.items():
        if given.get(name) is not None:
            try:
                values[name] = about.value.parse(given[name])
            except ValueError as error:
                problems.append(f"{key_of(where, name)} {error}")
    for name in given:
        if name not in settings:
            problems.append(f"{key_of(where, name)} is not a setting; known: {', '.join(settings)}")
    return values


def key_of(where: str, name: str) -> str:
    """Return a key as it is in the file, with its table."""
    return f"{where}.{name}" if where else name
