"""`.env` files as Docker Compose reads them: NAME=value, quotes, comments, `${OTHER}` in values.

Read with python-dotenv, which Compose v1 itself reads with. A change rewrites the lines of the values that change;
comments, order and everything else stay byte for byte.
"""

from __future__ import annotations

import io
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from dotenv.parser import Binding, parse_stream
from dotenv.variables import parse_variables

from ..errors import ConfigError

#: What needs no quotes: Compose takes it as it is.
PLAIN = re.compile(r"[^\s'\"#$\\]+(?: [^\s'\"#$\\]+)*")


@dataclass(frozen=True)
class EnvFile:
    """The content of a file. Its values may be secrets and are never part of its `repr`."""

    text: str = field(repr=False)
    name: str = ".env"

    @property
    def values(self) -> Mapping[str, str]:
        """The values by their names, references to earlier ones filled in. A name without `=` is left out.

        Raises ConfigError that names the lines that cannot be read.
        """
        found: dict[str, str] = {}
        for binding in self._bindings():
            if binding.key is not None and binding.value is not None:
                found[binding.key] = _filled_in(binding, found)
        return found

    def with_values(self, changes: Mapping[str, str]) -> EnvFile:
        """Return the file with values changed where they stand, or added at its end."""
        rest = dict(changes)
        parts = [_rewritten(binding, rest) for binding in self._bindings()]
        text = "".join(parts)
        if rest and text and not text.endswith("\n"):
            text += "\n"
        return EnvFile(text + "".join(f"{_line(name, value)}\n" for name, value in rest.items()), self.name)

    def _bindings(self) -> list[Binding]:
        bindings = list(parse_stream(io.StringIO(self.text)))
        wrong = [f"{self.name}, line {one.original.line}: not NAME=value." for one in bindings if one.error]
        if wrong:
            raise ConfigError(wrong, hint=f"Correct {self.name}, then try again.")
        return bindings


def _filled_in(binding: Binding, known: Mapping[str, str]) -> str:
    """Return a value with its references; one in single quotes is taken literally."""
    value = binding.value or ""
    _, _, written = binding.original.string.partition("=")
    if written.strip().startswith("'"):
        return value
    return "".join(atom.resolve(known) for atom in parse_variables(value))


def _rewritten(binding: Binding, changes: dict[str, str]) -> str:
    """Return a binding's lines, changed when it is among the changes, which it is then taken out of."""
    text = binding.original.string
    if binding.key is None or binding.key not in changes:
        return text
    found = re.match(r"(?P<before>\s*(?:export\s+)?)", text)
    before = found["before"] if found else ""
    ending = "\n" if text.endswith("\n") else ""
    return f"{before}{_line(binding.key, changes.pop(binding.key))}{_comment(text)}{ending}"


def _comment(text: str) -> str:
    """Return the comment behind an unquoted value, with the blanks before it."""
    written = text.partition("=")[2].strip("\r\n")
    if written.strip().startswith(("'", '"')) or "\n" in written:
        return ""
    found = re.search(r"\s+#.*$", written)
    return found[0] if found else ""


def _line(name: str, value: str) -> str:
    if not value or PLAIN.fullmatch(value):
        return f"{name}={value}"
    if "'" not in value:
        return f"{name}='{value}'"
    if "$" in value:
        raise ConfigError([f"{name}: no line means ' and $ to every release of Compose."], hint="Choose another value.")
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'{name}="{escaped}"'
