"""Compare two servers, or a server with a set: rows per table, objects, and on request every byte."""

from __future__ import annotations

from dataclasses import dataclass

from ...errors import DamagedError, NotFoundError
from ...stack.backup_set import Located
from ...stack.ports import Ports
from ...stack.transfer import moved
from ...stack.transfer.contents import Contents, TableRows, differences, tables_of
from ..backup.restore_objects import name_of, newest
from ..backup.verify import chosen
from .copies import ReadBack
from .facts import contents_of, contents_of_set, located_of, without_missing

#: How many differences are listed.
LISTED = 50


@dataclass(frozen=True)
class Compared:
    """How a server differs from another one, or from a set. `bytes_read` counts what was read and compared.

    `missing` counts objects that the source itself lacks, `unread` those whose rows have no checksum to compare with
    if all were to be read: neither is compared.
    """

    source: str
    target: str
    ok: bool
    differences: tuple[str, ...]
    tables: tuple[TableRows, ...]
    rows: int
    objects: int
    object_bytes: int
    bytes_read: int
    missing: int
    unread: int

    @property
    def exit_code(self) -> int:
        """0 only if nothing differs; 5 if nothing does, but not everything could be compared."""
        return 1 if not self.ok else 5 if self.missing or self.unread else 0


def transfer_verify(old: Ports, new: Ports, *, full: bool = False) -> Compared:
    """Compare two servers. Of one that was moved away, its last set is compared: it has no writes since."""
    away = moved.read(old.records)
    if away is not None:
        return _with_last_set(old, new, away, full=full)
    return _compared(without_missing(contents_of(old), old), new, full=full)


def _with_last_set(old: Ports, new: Ports, away: moved.Moved, *, full: bool) -> Compared:
    try:
        return verify_against_set(old, new, away.backup, full=full)
    except NotFoundError as error:
        folder = away.to if away.to.startswith("/") else "FOLDER"
        raise NotFoundError(
            f"{old.name} was moved to {away.to}, and its last set {away.backup} is not in {old.backups.store.place}.",
            hint=f"Compare with the folder that has it: qfc --stack {new.name} transfer verify {folder} --key FILE",
        ) from error


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
        len(before.missing),
        len(_untold(before)) if full else 0,
    )


def _of_store(before: Contents, new: Ports, read: ReadBack, *, full: bool) -> list[str]:
    """Return which objects the new server lacks and, if `full`, which have other bytes."""
    objects = list(map(located_of, before.objects))
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


def _untold(contents: Contents) -> list[Located]:
    """Return the objects whose rows have no checksum."""
    return [one for one in newest(map(located_of, contents.objects)) if not one.stored.sha256]
