"""A full disk: that of an embedded stack, where it is small and the stack's alone."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path, PurePath

from ..errors import RefusedError
from ..stack.model import Capability, Disk
from ..stack.ports import Ports
from .base import Fault, UndoData

NAME = "qfc-lab-fills-the-disk"
#: A disk of more bytes than that is somebody's, and takes long to fill.
LARGEST = 2 * 1024**3
#: Disks that everybody writes to, however small they are.
SHARED = frozenset(map(PurePath, ("/", "/tmp", "/var/tmp", "/run", "/dev/shm")))
#: So many bytes stay free: `break` itself still has to put its line into the audit log. No photo fits in there.
ROOM = 16 * 1024
#: Logs are read from a second before a service was started on: so long after its last word of a full disk it is.
APART_S = 2
HINT = (
    "Make a lab on a small disk of its own, as root: mkdir -p /mnt/qfc-lab; "
    "mount -t tmpfs -o size=512m,mode=755 qfc-lab /mnt/qfc-lab; "
    "qfc init lab --folder /mnt/qfc-lab; qfc --stack lab up"
)
# What `df` calls free is not all: a disk may keep a share for root, and may know no fallocate. Bytes that cannot be
# compressed take the rest.
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
    """Next to nothing is free on the disk of the stack. Whoever could not write is started anew by its undoing."""

    def look(self, ports: Ports) -> UndoData:
        """Remember what runs. Raises RefusedError for a disk on which others would suffer."""
        disk = ports.host.disk(ports.folder)
        reason = why_spared(disk, ports.folder)
        if reason:
            raise RefusedError(f"The disk on {disk.name or 'this machine'} is not filled: {reason}.", hint=HINT)
        running = [one.name for one in ports.runtime.services() if one.running]
        return {"file": str(ports.folder / NAME), "services": running}

    def make(self, ports: Ports, known: UndoData) -> None:
        """Put a file there that takes all the space."""
        disk = ports.host.disk(ports.folder)
        sizes = (disk.free_bytes, disk.total_bytes, ROOM)
        ports.host.run(["sh", "-c", _FILL, "sh", known["file"], *map(str, sizes)])

    def undo(self, ports: Ports, known: UndoData) -> None:
        """Remove it, and start anew what ran: the database may have given up, and logs tell of a full disk for long."""
        ports.host.run(["rm", "-f", known["file"]])
        if known["services"]:
            ports.runtime.stop(known["services"], now=True)
            ports.clock.sleep(APART_S)
            ports.runtime.start(known["services"])


def why_spared(disk: Disk, folder: Path) -> str:
    """Say why a disk must not be filled; nothing for a small one that is mounted for the stack in `folder` alone."""
    if disk.total_bytes > LARGEST:
        return f"it has {disk.total_bytes / 1024**3:.1f} GiB, and more than {LARGEST // 1024**3} are no lab's"
    place = PurePath(disk.name)
    if place in SHARED or place not in (folder, folder.parent):
        return "it is not mounted for this stack alone, and others would have no space either"
    return ""


DISK: tuple[Fault, ...] = (DiskFull("disk-full", "The disk is full", ("A15",), Capability.PROCESSES),)
