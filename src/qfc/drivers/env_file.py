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
PLAIN = re.compile(r"[^\s'\"#$]+(?: [^\s'\"#$]+)*")
# A value in quotes, and what is behind it on its line.
_QUOTED = re.compile(r"""\s*(?:'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*")(?P<behind>[^\r\n]*)""", re.DOTALL)
_BOM = "\ufeff"


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
        """Return the file with values changed wherever they stand, or added at its end."""
        bindings = self._bindings()
        text = _BOM if self.text.startswith(_BOM) else ""
        text += "".join(_rewritten(binding, changes) for binding in bindings)
        added = changes.keys() - {binding.key for binding in bindings}
        if added and text and not text.endswith("\n"):
            text += "\n"
        lines = (f"{_line(name, value)}\n" for name, value in changes.items() if name in added)
        return EnvFile(text + "".join(lines), self.name)

    def _bindings(self) -> list[Binding]:
        bindings = list(parse_stream(io.StringIO(self.text.removeprefix(_BOM))))
        wrong = [f"{self.name}, line {_line_number(one)}: not NAME=value." for one in bindings if one.error]
        if wrong:
            raise ConfigError(wrong, hint=f"Correct {self.name}, then try again.")
        return bindings


def _line_number(binding: Binding) -> int:
    """Return the line where it begins; empty ones before it count as a part of it."""
    text = binding.original.string
    return binding.original.line + text[: len(text) - len(text.lstrip())].count("\n")


def _filled_in(binding: Binding, known: Mapping[str, str]) -> str:
    """Return a value with its references; one in single quotes is taken literally."""
    value = binding.value or ""
    _, _, written = binding.original.string.partition("=")
    if written.strip().startswith("'"):
        return value
    return "".join(atom.resolve(known) for atom in parse_variables(value))


def _rewritten(binding: Binding, changes: Mapping[str, str]) -> str:
    """Return a binding's lines, changed when it is among the changes."""
    text = binding.original.string
    if binding.key is None or binding.key not in changes:
        return text
    found = re.match(r"(?P<before>\s*(?:export\s+)?)", text)
    before = found["before"] if found else ""
    ending = text[len(text.rstrip("\r\n")) :]
    return f"{before}{_line(binding.key, changes[binding.key])}{_comment(text)}{ending}"


def _comment(text: str) -> str:
    """Return the comment behind a value, with the blanks before it, of which an unquoted value needs one."""
    written = text.partition("=")[2].strip("\r\n")
    quoted = _QUOTED.match(written)
    if quoted:
        comment = quoted["behind"].rstrip()
        return f" {comment}" if comment.startswith("#") else comment
    found = re.search(r"\s+#.*$", written)
    return found[0] if found else ""


def _line(name: str, value: str) -> str:
    """Return the line that means a value to every release; they disagree about backslashes in single quotes."""
    if not value or PLAIN.fullmatch(value):
        return f"{name}={value}"
    if "'" not in value and "\\\\" not in value and not value.endswith("\\"):
        return f"{name}='{value}'"
    if "$" in value or value.endswith("\\"):
        raise ConfigError(
            [f"{name}: this value cannot be written so that every release of Compose reads it alike."],
            hint="Choose another value.",
        )
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'{name}="{escaped}"'
