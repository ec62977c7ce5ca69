"""Compare two servers, or a server with a set: rows per table, objects, and on request every byte."""

from __future__ import annotations

from dataclasses import dataclass

from ...errors import DamagedError
from ...stack.backup_set import Located, Reference, Stored
from ...stack.ports import Ports
from ...stack.transfer import moved
from ...stack.transfer.contents import Contents, TableRows, differences, tables_of
from ..backup.restore_objects import name_of, newest
from ..backup.verify import chosen
from .copies import ReadBack
from .facts import contents_of, contents_of_set

#: How many differences are listed.
LISTED = 50


@dataclass(frozen=True)
class Compared:
    """How a server differs from another one, or from a set. `bytes_read` counts what was read and compared."""

    source: str
    target: str
    ok: bool
    differences: tuple[str, ...]
    tables: tuple[TableRows, ...]
    rows: int
    objects: int
    object_bytes: int
    bytes_read: int

    @property
    def exit_code(self) -> int:
        """0 only if nothing differs."""
        return 0 if self.ok else 1


def transfer_verify(old: Ports, new: Ports, *, full: bool = False) -> Compared:
    """Compare two servers. Of one that was moved away, its last set is compared: it has no writes since."""
    away = moved.read(old.records)
    if away is not None:
        return verify_against_set(old, new, away.backup, full=full)
    return _compared(contents_of(old), new, full=full)


def verify_against_set(sets: Ports, new: Ports, backup: str | None, *, full: bool = False) -> Compared:
    """Compare a set of a server with another server."""
    manifest = chosen(sets, backup)[0]
    return _compared(contents_of_set(sets.backups.store, manifest), new, full=full)


def _compared(before: Contents, new: Ports, *, full: bool) -> Compared:
    after = contents_of(new)
    read = ReadBack(new)
    found = [*differences(before, after), *_of_store(before, new, read, full=full)]
    listed = tuple(dict.fromkeys(found))[:LISTED]
    total = len(before.objects)
    return Compared(
        before.name,
        new.name,
        not listed,
        listed,
        tables_of(before, after),
        before.rows,
        total,
        before.bytes,
        read.bytes,
    )


def _of_store(before: Contents, new: Ports, read: ReadBack, *, full: bool) -> list[str]:
    """Return which objects the new server lacks and, if `full`, which have other bytes."""
    objects = [Located(_stored(one), one.place) for one in before.objects]
    lacking = [f"{name_of(one)} is not in the store of {new.name}." for one in new.backups.target.lacking(objects)]
    if lacking or not full:
        return lacking
    told = [one for one in newest(objects) if one.stored.sha256]
    wrong: list[str] = []
    for one in told:
        try:
            read.everything([one])
        except DamagedError as error:
            wrong.append(error.message)
    return wrong


def _stored(reference: Reference) -> Stored:
    return Stored(reference.sha256, reference.size or 0, "", "", 0)
