"""`.env` files as Docker Compose v2 reads them: the one reader and writer of them.

A change replaces the text of the changed values; every other byte of the file stays. Recorded readings of Compose are
in `tests/releases/answers/compose_env.json`. Pure.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ..errors import ConfigError
from .env_syntax import Statement, line_end, parse
from .env_values import TemplateError, value_of

#: Values that need no quotes: Compose reads them literally.
PLAIN = re.compile(r"[^\s'\"#$]+(?: [^\s'\"#$]+)*")
_BOM = "\ufeff"


@dataclass(frozen=True)
class EnvFile:
    """The content of a file. Its values may be secrets, so they are never part of its `repr`."""

    text: str = field(repr=False)
    name: str = ".env"

    @property
    def values(self) -> Mapping[str, str]:
        """The values by name, with references to earlier ones resolved. A name without `=` is left out.

        Raises ConfigError with the lines that cannot be read.
        """
        found: dict[str, str] = {}
        for one in self._statements():
            if one.has_value:
                found[one.name] = self._value(one, found)
        return found

    def with_values(self, changes: Mapping[str, str]) -> EnvFile:
        """Return the file with values changed in every place, or added at its end."""
        statements = self._statements()
        text = self.text
        for one in reversed(statements):
            if one.name in changes:
                text = _replaced(text, self._shifted(one), changes[one.name])
        added = changes.keys() - {one.name for one in statements}
        if added and text and not text.endswith("\n"):
            text += "\n"
        lines = (f"{name}={_written(name, value)}\n" for name, value in changes.items() if name in added)
        return EnvFile(text + "".join(lines), self.name)

    def statements_of(self, names: Sequence[str]) -> Mapping[str, Sequence[str]]:
        """Return the text of each name's statements, with their line ends; none where the file lacks it."""
        found: defaultdict[str, list[str]] = defaultdict(list)
        for one in self._statements():
            begin, end = self._lines(one)
            found[one.name].append(self.text[begin:end])
        return {name: found[name] for name in names}

    def with_statements(self, statements: Mapping[str, Sequence[str]]) -> EnvFile:
        """Return the file in which these names have these statements again, and no others."""
        text = self.text
        places: defaultdict[str, list[tuple[int, int]]] = defaultdict(list)
        for one in self._statements():
            if one.name in statements:
                places[one.name].append(self._lines(one))
        pairs = {name: list(zip(where, statements[name], strict=False)) for name, where in places.items()}
        gone = [(place, "") for name, where in places.items() for place in where[len(statements[name]) :]]
        for (begin, end), old in sorted([*gone, *(pair for some in pairs.values() for pair in some)], reverse=True):
            text = f"{text[:begin]}{old}{text[end:]}"
        lacking = [old for name, many in statements.items() for old in many[len(places[name]) :]]
        return EnvFile(text + "".join(lacking), self.name)

    @property
    def _start(self) -> int:
        return len(_BOM) if self.text.startswith(_BOM) else 0

    def _statements(self) -> tuple[Statement, ...]:
        """Return the statements, at their positions without the byte order mark. Raises ConfigError."""
        found, wrong = parse(self.text[self._start :])
        if wrong:
            lines = [f"{self.name}, line {self._line_number(at)}: not NAME=value." for at in wrong]
            raise ConfigError(lines, hint=f"Correct {self.name}, then try again.")
        return found

    def _value(self, one: Statement, known: Mapping[str, str]) -> str:
        here = self._shifted(one)
        try:
            return value_of(self.text[here.value_begin : here.end], known)
        except TemplateError as error:
            line = f"{self.name}, line {self._line_number(one.begin)}: in the value of {one.name}, {error}."
            raise ConfigError([line], hint=f"Correct {self.name}, then try again.") from error

    def _line_number(self, at: int) -> int:
        return self.text.count("\n", 0, at + self._start) + 1

    def _shifted(self, one: Statement) -> Statement:
        """Return a statement at its position in the text of the file."""
        by = self._start
        return Statement(one.name, one.begin + by, one.value_begin + by, one.end + by, one.has_value)

    def _lines(self, statement: Statement) -> tuple[int, int]:
        """Return begin and end of a statement's lines; of the statement alone where others share its lines."""
        one, text = self._shifted(statement), self.text
        line = text.rfind("\n", 0, one.begin) + 1
        begin = line if not text[line : one.begin].strip() else one.begin
        rest = text[one.end : line_end(text, one.end)].strip()
        is_last = not rest or rest.startswith("#")
        return begin, min(line_end(text, one.end) + 1, len(text)) if is_last else one.end


def _replaced(text: str, one: Statement, value: str) -> str:
    """Return a text with the value of a statement changed."""
    written = _written(one.name, value)
    rest = text[one.end : line_end(text, one.end)]
    following = rest.strip()
    if not written and following.startswith("#"):
        written = "''"
    if following and not written.startswith(("'", '"')):
        rest_begin = one.end + len(rest) - len(rest.lstrip())
        if not following.startswith("#"):
            # Behind quotes there was another statement; without quotes it would become part of the value.
            return f"{text[: one.value_begin]}{_sign(one)}{written}\n{text[rest_begin:]}"
        if text[rest_begin - 1] != " ":
            return f"{text[: one.value_begin]}{_sign(one)}{written} {text[rest_begin:]}"
    return f"{text[: one.value_begin]}{_sign(one)}{written}{text[one.end :]}"


def _sign(one: Statement) -> str:
    return "" if one.has_value else "="


def _written(name: str, value: str) -> str:
    """Return the text that every release of Compose reads as this value; they disagree about backslashes in quotes."""
    if not value or PLAIN.fullmatch(value):
        return value
    if "'" not in value and "\\\\" not in value and not value.endswith("\\"):
        return f"'{value}'"
    if "$" in value or value.endswith("\\"):
        raise ConfigError(
            [f"{name}: this value cannot be written so that every release of Compose reads it alike."],
            hint="Choose another value.",
        )
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
