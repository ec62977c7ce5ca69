"""Scripts that read and write files on a server with nothing but POSIX tools."""

from __future__ import annotations

from pathlib import PurePath

from ...replacing import FOLDER, plain, replaced_by

__all__ = ["ABSENT", "FOLDER", "disk", "read", "write"]

#: Exit code for a file that does not exist.
ABSENT = 44

# Sets `p` to the path, or to the nearest folder above it that exists.
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
# A file counts as missing only if its folder can be searched.
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
    """Return the command that prints a file; its exit code is ABSENT if the file does not exist."""
    return ["sh", "-c", _READ, "sh", plain(path)]


def write(path: PurePath, size: int, mode: int) -> list[str]:
    """Return the command that replaces a file with its input: all `size` bytes of it, or nothing."""
    return replaced_by(["cat"], path, mode=mode, size=size)


def disk(path: PurePath) -> list[str]:
    """Return the command that prints the disk space at a path, which need not exist."""
    return ["sh", "-c", _DISK, "sh", plain(path)]
