"""The disk usage of a stack, its free space, and when its disks will be full."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..stack.forecast import DiskSample, Forecast, forecast
from ..stack.model import Capability, Disk, DiskPart
from ..stack.ports import Ports
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
    return DiskUsage(ports.name, str(folder), ports.footprint.parts(), disk, _forecast(disk, samples), lines)


def _forecast(disk: Disk, samples: Sequence[DiskSample]) -> Forecast:
    return forecast([one for one in samples if one.disk == disk.name])
