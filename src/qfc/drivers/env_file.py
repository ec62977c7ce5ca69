"""`.env` files as Docker Compose reads them: NAME=value, quotes, comments, `${OTHER}` in values.

python-dotenv reads them, as in Compose v1 itself. A change rewrites the lines of the changed values; comments, order
and everything else stay byte for byte.
"""

from __future__ import annotations

import io
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from dotenv.parser import Binding, parse_stream
from dotenv.variables import parse_variables

from ..errors import ConfigError

#: Values that need no quotes: Compose reads them literally.
PLAIN = re.compile(r"[^\s'\"#$]+(?: [^\s'\"#$]+)*")
# A value in quotes, and the rest of its line.
_QUOTED = re.compile(r"""\s*(?:'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*")(?P<behind>[^\r\n]*)""", re.DOTALL)
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
        for binding in self._bindings():
            if binding.key is not None and binding.value is not None:
                found[binding.key] = _filled_in(binding, found)
        return found

    def with_values(self, changes: Mapping[str, str]) -> EnvFile:
        """Return the file with values changed in every place, or added at its end."""
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
    """Return the number of its first line; empty lines before it are part of it."""
    text = binding.original.string
    return binding.original.line + text[: len(text) - len(text.lstrip())].count("\n")


def _filled_in(binding: Binding, known: Mapping[str, str]) -> str:
    """Return a value with its references resolved; one in single quotes is literal."""
    value = binding.value or ""
    _, _, written = binding.original.string.partition("=")
    if written.strip().startswith("'"):
        return value
    return "".join(atom.resolve(known) for atom in parse_variables(value))


def _rewritten(binding: Binding, changes: Mapping[str, str]) -> str:
    """Return the lines of a binding, with the change of its value, if any."""
    text = binding.original.string
    if binding.key is None or binding.key not in changes:
        return text
    found = re.match(r"(?P<before>\s*(?:export\s+)?)", text)
    before = found["before"] if found else ""
    ending = text[len(text.rstrip("\r\n")) :]
    return f"{before}{_line(binding.key, changes[binding.key])}{_comment(text)}{ending}"


def _comment(text: str) -> str:
    """Return the comment after a value, with the spaces before it; an unquoted value needs at least one."""
    written = text.partition("=")[2].strip("\r\n")
    quoted = _QUOTED.match(written)
    if quoted:
        comment = quoted["behind"].rstrip()
        return f" {comment}" if comment.startswith("#") else comment
    found = re.search(r"\s+#.*$", written)
    return found[0] if found else ""


def _line(name: str, value: str) -> str:
    """Return a line that every release reads as this value; they disagree about backslashes in single quotes."""
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
