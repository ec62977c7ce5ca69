"""What a stack takes on the disk, what is left, and when that will be gone."""

from __future__ import annotations

from dataclasses import dataclass

from ..stack.forecast import DiskSample, Forecast, forecast
from ..stack.model import Disk, DiskPart
from ..stack.ports import Ports


@dataclass(frozen=True)
class DiskUsage:
    """What the stack takes by its parts, what its disk has left, and when it will be full."""

    stack: str
    folder: str
    parts: tuple[DiskPart, ...]
    disk: Disk
    forecast: Forecast


def services_disk(ports: Ports) -> DiskUsage:
    """Measure everything."""
    disk = ports.runtime.disk()
    note(ports, disk)
    expected = forecast(ports.disk_history.samples())
    return DiskUsage(ports.name, str(ports.folder), ports.footprint.parts(), disk, expected)


def note(ports: Ports, disk: Disk) -> None:
    """Keep a measurement for the forecast."""
    ports.disk_history.add(DiskSample(ports.clock.now(), disk.free_bytes, disk.total_bytes))
