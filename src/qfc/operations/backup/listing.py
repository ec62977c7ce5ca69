"""The sets of a stack, and what each is worth."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from ...stack.backup_health import BackupState, Drill
from ...stack.backup_set import DATABASE, Manifest
from ...stack.ports import Ports


class Worth(StrEnum):
    """What a set is worth: only a verified one counts as a backup."""

    VERIFIED = "verified"
    INCOMPLETE = "incomplete"
    UNVERIFIED = "unverified"
    DAMAGED = "damaged"


@dataclass(frozen=True)
class SetLine:
    """A set. A restore of it is exact as of `taken_at`. `added_bytes` is what it has added to the store."""

    backup: str
    taken_at: datetime | None
    worth: Worth
    verified_at: datetime | None
    seconds: float
    database_bytes: int
    objects: int
    object_bytes: int
    added_bytes: int
    missing: int
    qfc: str


@dataclass(frozen=True)
class SetsList:
    """All sets, the newest first."""

    path: str
    sets: tuple[SetLine, ...]
    drill: Drill | None


def db_list(ports: Ports) -> SetsList:
    """Return all sets. Nothing of their content is read."""
    state = ports.backups.state()
    lines = [_line(one, state) for one in state.manifests[::-1]]
    lines += [SetLine(id, None, Worth.DAMAGED, None, 0, 0, 0, 0, 0, 0, "") for id in state.unreadable]
    return SetsList(state.place, tuple(lines), state.drill)


def _line(manifest: Manifest, state: BackupState) -> SetLine:
    verdict = state.verdicts.get(manifest.id)
    return SetLine(
        manifest.id,
        manifest.taken_at,
        _worth(manifest, state),
        verdict.verified_at if verdict else None,
        manifest.seconds,
        manifest.parts[DATABASE].size,
        manifest.objects.count,
        manifest.objects.bytes,
        manifest.stored_bytes,
        len(manifest.missing),
        manifest.qfc,
    )


def _worth(manifest: Manifest, state: BackupState) -> Worth:
    verdict = state.verdicts.get(manifest.id)
    if verdict is not None and not verdict.ok:
        return Worth.DAMAGED
    if not manifest.is_complete:
        return Worth.INCOMPLETE
    return Worth.UNVERIFIED if verdict is None else Worth.VERIFIED
