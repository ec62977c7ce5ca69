"""The statements of an `.env` file, where Compose v2 sees them: names, values in quotes, several lines, comments."""

from __future__ import annotations

import re
from dataclasses import dataclass

#: `NAME=`, `export NAME =`, `NAME:`, or a bare `NAME`, which only passes on the value of the shell.
_NAME = re.compile(r"(?:export[^\S\n]+)?(?P<name>[\w.\-\[\]]+)[^\S\n]*(?:(?P<sign>[=:])|(?=\n|\Z))")
# Whitespace and comments between statements.
_BETWEEN = re.compile(r"(?:\s+|#[^\n]*)*")
_BLANKS = re.compile(r"[^\S\n]*")
_QUOTED = {"'": re.compile(r"'(?:\\.|[^'\\])*'", re.DOTALL), '"': re.compile(r'"(?:\\.|[^"\\])*"', re.DOTALL)}
_COMMENT = " #"


@dataclass(frozen=True)
class Statement:
    """A statement: text from `begin` to `end`, its value (with quotes) from `value_begin` to `end`.

    `has_value` is false for a bare name.
    """

    name: str
    begin: int
    value_begin: int
    end: int
    has_value: bool


def parse(text: str) -> tuple[tuple[Statement, ...], tuple[int, ...]]:
    """Return all statements, and the positions of lines that are none."""
    found: list[Statement] = []
    wrong: list[int] = []
    at = _next(text, 0)
    while at < len(text):
        one = _statement(text, at)
        if one is None:
            wrong.append(at)
            at = _next(text, line_end(text, at))
        else:
            found.append(one)
            at = _next(text, one.end if _is_quoted(text, one) else line_end(text, one.end))
    return tuple(found), tuple(wrong)


def line_end(text: str, at: int) -> int:
    """Return the position of the end of the line, before its newline."""
    found = text.find("\n", at)
    return len(text) if found < 0 else found


def _next(text: str, at: int) -> int:
    found = _BETWEEN.match(text, at)
    return found.end() if found else at


def _statement(text: str, at: int) -> Statement | None:
    """Return the statement that begins here; None where there is none."""
    named = _NAME.match(text, at)
    if named is None:
        return None
    if named["sign"] is None:
        return Statement(named["name"], at, named.end("name"), named.end("name"), has_value=False)
    begin = _next_word(text, named.end())
    if text[begin : begin + 1] in _QUOTED:
        closed = _QUOTED[text[begin]].match(text, begin)
        return Statement(named["name"], at, begin, closed.end(), has_value=True) if closed else None
    value = text[begin : line_end(text, begin)].partition(_COMMENT)[0].rstrip()
    begin = begin if value else named.end()
    return Statement(named["name"], at, begin, begin + len(value), has_value=True)


def _next_word(text: str, at: int) -> int:
    found = _BLANKS.match(text, at)
    return found.end() if found else at


def _is_quoted(text: str, one: Statement) -> bool:
    return one.end > one.value_begin and text[one.value_begin] in _QUOTED
