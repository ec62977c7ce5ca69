"""The one place where text that others wrote is made harmless for a terminal.

Names of files, layers and projects, and lines of logs, come from whoever uses the server. None of them may move the
cursor, set a title, hide text or turn it round.
"""

from __future__ import annotations

import re

#: C0 and C1 without line ends and tabs, marks and overrides of direction, line and paragraph separators.
_CONTROL_CHARACTERS = "\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069"
CONTROL = re.compile(f"[{_CONTROL_CHARACTERS}]")
IN_A_LINE = re.compile(f"[\t\n{_CONTROL_CHARACTERS}]+")
#: The colours that we write.
_OWN_COLOUR_OR_CONTROL = re.compile(f"\x1b\\[(?:0|[39][0-7])m|[{_CONTROL_CHARACTERS}]")


def printable(text: str, *, coloured: bool = False) -> str:
    """Return the text with controls written out, as in \\x1b; with `coloured`, our own colours stay."""
    pattern = _OWN_COLOUR_OR_CONTROL if coloured else CONTROL
    return pattern.sub(lambda match: match[0] if len(match[0]) > 1 else _written_out(match[0]), text)


def json_text(text: str) -> str:
    """Return a JSON document with the controls in its texts escaped that `json.dumps` leaves."""
    return CONTROL.sub(lambda match: f"\\u{ord(match[0]):04x}", text)


def one_line(text: str) -> str:
    """Return the text in one line, with a blank for each run of controls."""
    return IN_A_LINE.sub(" ", text)


def _written_out(character: str) -> str:
    code = ord(character)
    return f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}"
