"""Namespaces: a root of the server's own with only what jobs need, and a network without a way out.

Root creates them as it is. Anybody else first needs a namespace of users, where this kernel and its settings allow it.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from . import kernel

#: Where the new root is put together. It must exist; what is in it stays as it is.
_SITE = "/tmp"
_OLD = "old-root"
#: The flags of mounts that a namespace of users cannot take away.
_LOCKED = (
    (os.ST_NOSUID, kernel.MS_NOSUID),
    (os.ST_NODEV, kernel.MS_NODEV),
    (os.ST_NOEXEC, kernel.MS_NOEXEC),
    (os.ST_NOATIME, 1024),
    (os.ST_NODIRATIME, 2048),
    (os.ST_RELATIME, 1 << 21),
)


def enter(*, mounts: bool, network: bool, changed: Sequence[Path], read: Sequence[Path], used: Sequence[Path]) -> None:
    """Put this process and its children into new namespaces, those that are asked for. Raises OSError.

    `mounts`: they see only `changed`, `read` (which they cannot change) and the devices `used`.
    """
    flags = (kernel.CLONE_NEWNS if mounts else 0) | (kernel.CLONE_NEWNET if network else 0)
    if not flags:
        return
    if os.geteuid() == 0:
        kernel.unshare(flags | kernel.CLONE_NEWIPC)
    else:
        _enter_as_anybody(flags | kernel.CLONE_NEWIPC)
    if mounts:
        _enter_root(changed, read, used)


def _enter_as_anybody(flags: int) -> None:
    """Keep the ids of user and group; all others have no name in the namespace."""
    user, group = os.geteuid(), os.getegid()
    kernel.unshare(flags | kernel.CLONE_NEWUSER)
    Path("/proc/self/setgroups").write_text("deny", encoding="ascii")
    Path("/proc/self/uid_map").write_text(f"{user} {user} 1", encoding="ascii")
    Path("/proc/self/gid_map").write_text(f"{group} {group} 1", encoding="ascii")


def _enter_root(changed: Sequence[Path], read: Sequence[Path], used: Sequence[Path]) -> None:
    sources = {path: Path(os.path.realpath(path)) for path in (*changed, *read, *used)}
    kernel.mount("", "/", flags=kernel.MS_REC | kernel.MS_PRIVATE)
    kernel.mount("tmpfs", _SITE, "tmpfs", kernel.MS_NOSUID | kernel.MS_NODEV, "size=1m,mode=755")
    old = Path(_SITE, _OLD)
    old.mkdir()
    kernel.pivot_root(_SITE, str(old))
    os.chdir("/")
    for path in sorted(sources):
        _show(path, Path("/", _OLD, *sources[path].parts[1:]), is_fixed=path not in changed and path not in used)
    kernel.detach(f"/{_OLD}")
    Path("/", _OLD).rmdir()
    kernel.mount("", "/", flags=kernel.MS_REMOUNT | kernel.MS_BIND | kernel.MS_RDONLY | _flags("/"))


def _show(path: Path, source: Path, *, is_fixed: bool) -> None:
    """Show something of the old root at its path in the new one; what a shorter path shows is already there."""
    if not path.exists():
        _make_place(path, source)
    kernel.mount(str(source), str(path), flags=kernel.MS_BIND | kernel.MS_REC)
    if is_fixed:
        flags = kernel.MS_REMOUNT | kernel.MS_BIND | kernel.MS_RDONLY
        kernel.mount("", str(path), flags=flags | _flags(str(path)))


def _make_place(path: Path, source: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    if source.is_dir():
        path.mkdir()
    else:
        path.touch()


def _flags(path: str) -> int:
    status = os.statvfs(path).f_flag
    return sum(flag for seen, flag in _LOCKED if status & seen)
