"""The scripts with which files are read and written on a server that has only POSIX tools."""

from __future__ import annotations

from pathlib import PurePath

from ...replacing import FOLDER, plain, replaced_by

__all__ = ["ABSENT", "FOLDER", "disk", "read", "write"]

#: Exit code for a file that is not there.
ABSENT = 44

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
_DISK = f"""
{_NEAREST}
df -Pk "$p"
"""


def read(path: PurePath) -> list[str]:
    """Return the command that prints a file; it ends with ABSENT where there is none."""
    return ["sh", "-c", _READ, "sh", plain(path)]


def write(path: PurePath, size: int, mode: int) -> list[str]:
    """Return the command that replaces a file by its input: all `size` bytes of it, or nothing."""
    return replaced_by(["cat"], path, mode=mode, size=size)


def disk(path: PurePath) -> list[str]:
    """Return the command that prints the space where a path is, or would be."""
    return ["sh", "-c", _DISK, "sh", plain(path)]
