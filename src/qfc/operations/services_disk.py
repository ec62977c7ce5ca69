"""The disk usage of a stack, its free space, and when its disks will be full."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..errors import QfcError
from ..stack.forecast import DiskSample, Forecast, forecast
from ..stack.model import Capability, Disk, DiskPart
from ..stack.ports import Ports
from ..stack.store_content import most_deleted
from .status import note_disks


@dataclass(frozen=True)
class DiskLine:
    """A file system of the host, and when it will be full."""

    name: str
    free_bytes: int
    total_bytes: int
    forecast: Forecast


@dataclass(frozen=True)
class DiskUsage:
    """The disk usage of the stack's parts, the free space of its disks, and when they will be full.

    `disk` is the one with the smallest free share, `forecast` is for that disk.
    """

    stack: str
    folder: str
    parts: tuple[DiskPart, ...]
    disk: Disk
    forecast: Forecast
    disks: tuple[DiskLine, ...]


def services_disk(ports: Ports) -> DiskUsage:
    """Measure the parts and the disks."""
    disk = ports.runtime.disk()
    disks = note_disks(ports)
    samples = ports.disk_history.samples()
    lines = tuple(DiskLine(one.name, one.free_bytes, one.total_bytes, _forecast(one, samples)) for one in disks)
    folder = ports.deployment.folder if ports.offers(Capability.CONTAINERS) else ports.folder
    parts = (*ports.footprint.parts(), *_deleted(ports))
    return DiskUsage(ports.name, str(folder), parts, disk, _forecast(disk, samples), lines)


def _deleted(ports: Ports) -> list[DiskPart]:
    """Return the deleted files that S3 stores still hold, by project."""
    if not ports.offers(Capability.CONTAINERS):
        return []
    try:
        contents = ports.deployment.inspection.stores.contents()
        projects = most_deleted(contents, ports.jobs.project_names)
    except QfcError as error:
        return [DiskPart("deleted files", "in the file store", None, detail=error.message)]
    note = (
        "nothing removes them; see: qfc doctor" if any(one.keeps_deleted for one in contents) else "a rule removes them"
    )
    return [DiskPart("deleted files", name, size, detail=note) for name, size in projects]


def _forecast(disk: Disk, samples: Sequence[DiskSample]) -> Forecast:
    return forecast([one for one in samples if one.disk == disk.name])
