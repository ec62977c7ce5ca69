"""The other parts, limits and backups; and a part as a record has it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from .part import BACKUPS, LIMITS, MONITOR, SCHEDULE, Part
from .starters import MonitorPart, SchedulePart

if TYPE_CHECKING:
    from ..ports import Ports

#: The table of the configuration that says where backups go, and its settings that do.
BACKUP_TABLE, PLACES = "backup", ("folder", "bucket_file", "sftp", "repository")


@dataclass(frozen=True)
class LimitsPart(Part):
    """Limits on how often projects are synchronised."""

    name: ClassVar[str] = LIMITS
    all_per_minute: int | None
    project_per_minute: int | None

    @property
    def sentence(self) -> str:
        return f"Limit synchronisations: {self.what}"

    @property
    def what(self) -> str:
        numbers = ((self.all_per_minute, "in all"), (self.project_per_minute, "of each project"))
        return ", ".join(f"{number} a minute {of}" for number, of in numbers if number is not None)

    def document(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> LimitsPart:
        """Read what `document` returns."""
        return cls(**document)

    def is_there(self, ports: Ports) -> bool:
        return self.are_set(ports) and ports.rate_limits.in_force()

    @staticmethod
    def are_set(ports: Ports) -> bool:
        """Return whether there are numbers, whoever set them; nginx may have lost them."""
        limits = ports.rate_limits.wanted()
        return limits.all_per_minute is not None or limits.project_per_minute is not None

    def is_whole(self, ports: Ports) -> bool:
        return self.is_there(ports)

    def is_as_wanted(self, ports: Ports) -> bool:
        limits = ports.rate_limits.wanted()
        return (limits.all_per_minute, limits.project_per_minute) == (self.all_per_minute, self.project_per_minute)


@dataclass(frozen=True)
class BackupsPart(Part):
    """A key, so that the daily job makes backups; and their place, if the operator named one: setting and value."""

    name: ClassVar[str] = BACKUPS
    config: str
    setting: str | None
    value: str | None
    place: str

    @property
    def sentence(self) -> str:
        if not self.setting:
            return f"Create the key of backups, which the daily job makes in {self.place}"
        return (
            f"Let the daily job back up to {self.place}, with a key that is created unless there is one; write "
            f"{self.setting} to [backup] in {self.config}, which holds for all its stacks"
        )

    @property
    def what(self) -> str:
        return f"the daily job backs up to {self.place}"

    def document(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> BackupsPart:
        """Read what `document` returns."""
        return cls(**document)

    def is_there(self, ports: Ports) -> bool:
        return ports.backups.keys.recipient() is not None and (not self.setting or self.has_place(ports))

    def has_place(self, ports: Ports) -> bool:
        """Return whether the configuration names a place, be it this one or one that somebody has chosen since."""
        table = ports.here.table(Path(self.config), BACKUP_TABLE)
        return any(table.get(name) for name in PLACES)

    def is_whole(self, ports: Ports) -> bool:
        return self.is_there(ports)

    def is_as_wanted(self, ports: Ports) -> bool:
        return self.is_there(ports)


_OF = {MONITOR: MonitorPart.of, SCHEDULE: SchedulePart.of, LIMITS: LimitsPart.of, BACKUPS: BackupsPart.of}


def part_of(name: str, document: Mapping[str, Any]) -> Part:
    """Read a part of a record."""
    return _OF[name](document)
