"""The script that every session runs on the server, and the protocol to talk to it.

The script is always the same; it reads the command from its standard input, one line per word, before the input of the
command itself. So the quoting rules of the account's login shell do not matter, the server's process list shows only
the command itself and no environment variables, and a session can be opened before its command is known. The script
needs nothing but a POSIX `sh`.

It prints a first line on both outputs with the number of its process group (the output of the account's start-up files
comes before it, and is dropped), and a last line on standard error with the command's exit code. A session without that
last line was cut off, whatever the exit code of ssh.
"""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ....errors import CommandError

_SCRIPT = (
    'echo "qfc-begin:$$"; echo "qfc-begin:$$" >&2;',
    "while :; do",
    "IFS= read -r qfc_line || exit 0;",
    "qfc_word=${qfc_line#??};",
    'case $qfc_line in ?%*) qfc_word=$(printf "%b." "$qfc_word"); qfc_word=${qfc_word%.};; esac;',
    'case $qfc_line in a*) set -- "$@" "$qfc_word";; e*) export "$qfc_word";; *) break;; esac;',
    "done;",
    'command -v "$1" >/dev/null 2>&1 || { echo "qfc-end:absent" >&2; exit 127; };',
    '("$@"); qfc_code=$?;',
    'echo "qfc-end:$qfc_code" >&2; exit "$qfc_code"',
)
#: The command line of every session. No quote, backslash or exclamation mark: the same in sh, bash, zsh, fish and csh.
LAUNCHER = shlex.join(["exec", "sh", "-c", " ".join(_SCRIPT), "qfc"])

_BEGIN = re.compile(rb"qfc-begin:(\d+)\n")
_END = re.compile(rb"qfc-end:(\d+|absent)\n")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_PLAIN = re.compile(rb"[ -\[\]-~]*")


@dataclass(frozen=True)
class Ending:
    """The end of a session. `exit_code` is None when the end of the command was not reported."""

    exit_code: int | None
    absent: bool
    stderr: str


def request(argv: Sequence[str], environment: Mapping[str, str]) -> bytes:
    """Return the launcher's input for running a command. Raises CommandError for words that no process can receive."""
    wrong = [name for name in environment if not _VARIABLE.fullmatch(name)]
    words = [("e", f"{name}={value}") for name, value in environment.items()] + [("a", word) for word in argv]
    if not argv or wrong or any("\0" in word for _, word in words):
        raise CommandError(
            f"{argv[0] if argv else 'An empty command'} cannot be started.",
            hint="Check the names for unusual characters.",
        )
    return b"".join(_line(kind, os.fsencode(word)) for kind, word in words) + b".\n"


def _line(kind: str, word: bytes) -> bytes:
    """Return a line for one word: unchanged, or with everything but printable ASCII in octal."""
    if _PLAIN.fullmatch(word):
        return b"%s=%s\n" % (kind.encode(), word)
    escaped = b"".join(bytes([byte]) if _PLAIN.fullmatch(bytes([byte])) else b"\\0%03o" % byte for byte in word)
    return b"%s%%%s\n" % (kind.encode(), escaped)


def process_group(line: bytes) -> int | None:
    """Return the process group in the launcher's first line, None for any other line."""
    found = _BEGIN.search(line)
    return int(found[1]) if found else None


def ending(stderr: bytes) -> Ending:
    """Remove the launcher's own lines from the standard error output."""
    begin = _BEGIN.search(stderr)
    said = stderr[begin.end() :] if begin else stderr
    ends = list(_END.finditer(said))
    if not ends:
        return Ending(None, False, said.decode(errors="replace"))
    last = ends[-1]
    absent = last[1] == b"absent"
    rest = (said[: last.start()] + said[last.end() :]).decode(errors="replace")
    return Ending(127 if absent else int(last[1]), absent, rest)
