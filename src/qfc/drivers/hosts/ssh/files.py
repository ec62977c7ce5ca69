"""The scripts with which files are read and written on a server that has only POSIX tools."""

from __future__ import annotations

import secrets
from pathlib import PurePath

#: Exit codes of the scripts.
ABSENT, FOLDER = 44, 46

# Leaves in `p` the path, or the nearest folder above it that is there.
_NEAREST = """
p=$1
while [ ! -e "$p" ]; do
    case $p in
    /*) p=${p%/*} p=${p:-/} ;;
    */*) p=${p%/*} ;;
    *) p=. ;;
    esac
done
"""
# "Not there" is said only of what can be seen not to be there.
_READ = f"""
cat -- "$1" && exit
{_NEAREST}
[ "$p" = "$1" ] || [ ! -x "$p" ] || exit {ABSENT}
exit 1
"""
# A broken connection looks like the end of the input; the size tells them apart.
_WRITE = f"""
[ ! -d "$1" ] || exit {FOLDER}
trap 'rm -f -- "$2"; exit 1' HUP INT TERM
umask "$3"
cat >"$2" && [ "$(wc -c <"$2")" -eq "$4" ] && chmod "$5" "$2" && {{ sync "$2" || sync; }} && mv -f -- "$2" "$1" && exit
rm -f -- "$2"
exit 1
"""
_DISK = f"""
{_NEAREST}
df -Pk "$p"
"""


def read(path: PurePath) -> list[str]:
    """Return the command that prints a file; it ends with ABSENT where there is none."""
    return ["sh", "-c", _READ, "sh", _plain(path)]


def write(path: PurePath, size: int, mode: int) -> list[str]:
    """Return the command that replaces a file by its input: all `size` bytes of it, or nothing.

    The file never exists with wider rights than `mode`, and is on the disk before it has its name.
    """
    half = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    umask = f"{0o777 & ~(mode & 0o600):03o}"
    return ["sh", "-c", _WRITE, "sh", _plain(path), _plain(half), umask, str(size), f"{mode:03o}"]


def disk(path: PurePath) -> list[str]:
    """Return the command that prints the space where a path is, or would be."""
    return ["sh", "-c", _DISK, "sh", _plain(path)]


def _plain(path: PurePath) -> str:
    """Return a path that no command takes for an option."""
    text = str(path)
    return f"./{text}" if text.startswith("-") else text
