"""Replaces files with the shell of a host, as `qfc.files` does on this machine: all or nothing, and durably."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePath

from ..files import half_of

#: Exit code for a path that is a folder.
FOLDER = 46
#: Instead of a mode: the file keeps its owner and permissions; only its owner can read a new one.
AS_BEFORE = "as before"

#: The function for scripts. A lost connection looks like the end of the input; the size distinguishes them.
REPLACE = f"""
# replace FILE HALF MODE SIZE COMMAND...
# Replaces FILE with the output of the command, or leaves it unchanged. SIZE may be empty.
replace() (
    path=$1 half=$2 mode=$3 size=$4
    shift 4
    [ ! -d "$path" ] || exit {FOLDER}
    trap 'rm -f -- "$half"' EXIT
    trap 'exit 1' HUP INT TERM
    if [ "$mode" != '{AS_BEFORE}' ]; then
        umask "$(printf '%03o' "$((0777 & ~(0$mode & 0600)))")"
    else
        umask 077
        [ ! -e "$path" ] || cp -p -- "$path" "$half" || exit 1
    fi
    "$@" >"$half" || exit 1
    [ -z "$size" ] || [ "$(wc -c <"$half")" -eq "$size" ] || exit 1
    [ "$mode" = '{AS_BEFORE}' ] || chmod "$mode" "$half" || exit 1
    sync "$half" 2>/dev/null || sync
    mv -f -- "$half" "$path" || exit 1
    sync "$(dirname -- "$path")" 2>/dev/null || sync
    exit 0
)
"""


def replaced_by(argv: Sequence[str], path: PurePath, *, mode: int = 0o600, size: int | None = None) -> list[str]:
    """Return the command that replaces a file of its host with the output of another command: `size` bytes, or any.

    The file never has wider permissions than `mode`, and only its owner can read it until it is complete.
    """
    given = (plain(path), plain(half_of(path)), f"{mode:03o}", "" if size is None else str(size))
    return ["sh", "-c", f'{REPLACE}replace "$@"', "sh", *given, *argv]


def plain(path: PurePath) -> str:
    """Return a path that no command mistakes for an option."""
    text = str(path)
    return f"./{text}" if text.startswith("-") else text
