"""A full disk: only on an embedded stack, and only where the disk is small and used by the stack alone."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path, PurePath

from ..errors import RefusedError
from ..stack.model import Capability, Disk
from ..stack.ports import Ports
from .base import Fault, UndoData

NAME = "qfc-lab-fills-the-disk"
#: A larger disk, in bytes, has other users and takes long to fill.
LARGEST = 2 * 1024**3
#: Disks that every program writes to, however small they are.
SHARED = frozenset(map(PurePath, ("/", "/tmp", "/var/tmp", "/run", "/dev/shm")))
#: Bytes that stay free for the line that `break` itself writes to the audit log; no photo fits into them.
ROOM = 16 * 1024
#: Seconds between stop and start, because logs are read from one second before a start: old lines are left out.
APART_S = 2
HINT = (
    "Create a lab on a small disk of its own, as root: mkdir -p /mnt/qfc-lab; "
    "mount -t tmpfs -o size=512m,mode=755 qfc-lab /mnt/qfc-lab; "
    "qfc init lab --folder /mnt/qfc-lab; qfc --stack lab up"
)
# `df` does not count everything: a disk may reserve a share for root, and may not support fallocate. Incompressible
# bytes fill the rest.
_FILL = """
umask 077
fallocate -l "$2" "$1" 2>/dev/null
if head -c "$3" /dev/urandom 2>/dev/null >>"$1"; then
    echo "There is room for more than $3 bytes." >&2
    exit 1
fi
truncate -s "-$4" "$1"
"""


@dataclass(frozen=True)
class DiskFull(Fault):
    """Almost nothing is free on the stack's disk. The undo restarts the services that could not write."""

    def look(self, ports: Ports) -> UndoData:
        """Return the running services. Raises RefusedError for a disk that others use."""
        disk = ports.host.disk(ports.folder)
        reason = why_spared(disk, ports.folder)
        if reason:
            raise RefusedError(f"The lab does not fill the disk on {disk.name or 'this machine'}: {reason}.", hint=HINT)
        running = [one.name for one in ports.runtime.services() if one.running]
        return {"file": str(ports.folder / NAME), "services": running}

    def make(self, ports: Ports, known: UndoData) -> None:
        """Create a file that uses up all space."""
        disk = ports.host.disk(ports.folder)
        sizes = (disk.free_bytes, disk.total_bytes, ROOM)
        ports.host.run(["sh", "-c", _FILL, "sh", known["file"], *map(str, sizes)])

    def undo(self, ports: Ports, known: UndoData) -> None:
        """Remove the file, and restart the services: the database may have given up, and logs still show errors."""
        ports.host.run(["rm", "-f", known["file"]])
        if known["services"]:
            ports.runtime.stop(known["services"], now=True)
            ports.clock.sleep(APART_S)
            ports.runtime.start(known["services"])


def why_spared(disk: Disk, folder: Path) -> str:
    """Return why a disk must not be filled; empty for a small one that is mounted for the stack in `folder` alone."""
    if disk.total_bytes > LARGEST:
        return f"it has {disk.total_bytes / 1024**3:.1f} GiB, and the limit is {LARGEST // 1024**3} GiB"
    place = PurePath(disk.name)
    if place in SHARED or place not in (folder, folder.parent):
        return "it is not mounted for this stack alone, so other programs would run out of space too"
    return ""


DISK: tuple[Fault, ...] = (DiskFull("disk-full", "The disk is full", ("A15",), Capability.PROCESSES),)
