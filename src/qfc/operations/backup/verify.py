"""Verify a set: every object with size and checksum, the dump to its end, the secrets with the key."""

from __future__ import annotations

import io
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from ...errors import CommandError, DamagedError, NotFoundError
from ...stack.backup_key import key_is_elsewhere
from ...stack.backup_rules import FULL_READ_DAYS, slice_of, slices_due
from ...stack.backup_set import DATABASE, SECRET_KEY, SECRETS, DumpContent, Manifest, Stored, Verdict, choose
from ...stack.ports import Ports
from .archives import files_of

#: The record of when each slice of the objects was read.
READ_AT = "backup/read.json"
NOT_READ = "The key is not on this machine: the dump and the secrets were not read. Type: qfc db keys --import FILE"
#: How many problems are listed.
LISTED = 50


@dataclass(frozen=True)
class Verified:
    """The result for one set. `objects_read` were read byte by byte, `objects` were looked for."""

    backup: str
    ok: bool
    problems: tuple[str, ...]
    objects: int
    objects_read: int
    missing: int


@dataclass(frozen=True)
class VerifiedSets:
    """The verified sets, in the order of their time. The keys of the last one are also those of the answer."""

    backup: str
    ok: bool
    problems: tuple[str, ...]
    sets: tuple[Verified, ...]

    @property
    def exit_code(self) -> int:
        """0 only if nothing is wrong."""
        return 0 if self.ok else 1


def db_verify(ports: Ports, wanted: str | None, *, everything: bool = False, full: bool = False) -> VerifiedSets:
    """Verify the newest set, a named one, or all; with `full`, read every byte. Only verdicts are written."""
    manifests = chosen(ports, wanted, everything=everything)
    unreadable = () if wanted else ports.backups.store.unreadable()
    results = [_verify(ports, one, full=full) for one in manifests]
    broken = [f"The manifest of {id} is damaged, or not signed by the key here." for id in unreadable]
    problems = (*broken, *(problem for one in results for problem in one.problems))
    last = results[-1].backup if results else ""
    return VerifiedSets(last, not problems and all(one.ok for one in results), problems[:LISTED], tuple(results))


def chosen(ports: Ports, wanted: str | None, *, everything: bool = False) -> Sequence[Manifest]:
    """Return the sets that are meant. Raises NotFoundError without one."""
    manifests = ports.backups.store.manifests()
    if everything and manifests:
        return manifests
    found = choose(manifests, wanted)
    if found is not None:
        return (found,)
    unreadable = ports.backups.store.unreadable()
    if unreadable and wanted in (None, *unreadable):
        raise DamagedError(
            f"The manifest of {unreadable[-1]} is damaged, or not signed by the key here.", hint="See: qfc db keys"
        )
    what = f"no set {wanted}" if wanted else "no set"
    raise NotFoundError(f"{ports.backups.store.place} has {what}.", hint="Type: qfc db list, or qfc db backup")


def _verify(ports: Ports, manifest: Manifest, *, full: bool) -> Verified:
    now, read_at = ports.clock.now(), _read_at(ports)
    due = frozenset(range(FULL_READ_DAYS)) if full else slices_due(read_at, now)
    verdict = verify_set(ports, manifest, slices=due)
    if verdict.ok:
        _record(ports, {**read_at, **dict.fromkeys(due, now)})
    unread = [] if _has_key(ports) else [NOT_READ]
    return Verified(
        manifest.id,
        verdict.ok and manifest.is_complete and not unread,
        (*verdict.problems, *unread, *(f"The set lacks {one.shown}: {one.why}." for one in manifest.missing)),
        manifest.objects.count,
        verdict.objects_read,
        len(manifest.missing),
    )


def verify_set(
    ports: Ports, manifest: Manifest, *, read: Sequence[Stored] | None = None, slices: Collection[int] = ()
) -> Verdict:
    """Verify a set and store the verdict. Reads the objects in `read`, or else those of some slices, byte by byte."""
    store = ports.backups.store
    with store.prepared(manifest.parts.values()):
        problems, count = _problems(ports, manifest, read, slices)
    full = len(slices) == FULL_READ_DAYS
    verdict = Verdict(manifest.id, ports.clock.now(), tuple(dict.fromkeys(problems))[:LISTED], full, count)
    # Without the key nothing new is known of the content: an earlier verdict stays, unless something is wrong.
    if problems or _has_key(ports):
        store.judge(verdict)
    return verdict


def _problems(
    ports: Ports, manifest: Manifest, read: Sequence[Stored] | None, slices: Collection[int]
) -> tuple[list[str], int]:
    """Return what is wrong with a set, and how many objects were read byte by byte."""
    store = ports.backups.store
    problems = [*_parts(ports, manifest), *_secrets(ports, manifest)]
    objects: list[Stored] = []
    count = 0
    try:
        objects = list(store.references(manifest))
        problems += store.look(objects)
        wanted = read if read is not None else [one for one in objects if slice_of(one.sha256) in slices]
        count = len(wanted)
        with store.prepared(wanted):
            problems += [problem for one in wanted if (problem := store.check_bytes(one)) is not None]
    except DamagedError as error:
        problems.append(error.message)
    return [*problems, *_dump(ports, manifest, {one.sha256: one for one in objects})], count


def require_whole(ports: Ports, manifest: Manifest) -> None:
    """Verify a set before it replaces something. Raises DamagedError, and RefusedError where the key is not here."""
    if not _has_key(ports):
        raise key_is_elsewhere()
    verdict = verify_set(ports, manifest)
    if not verdict.ok:
        raise DamagedError(f"{manifest.id} is damaged: {verdict.problems[0]}", hint="Choose another one: qfc db list")


def _has_key(ports: Ports) -> bool:
    return ports.backups.keys.identity() is not None


def _parts(ports: Ports, manifest: Manifest) -> list[str]:
    found = (ports.backups.store.check_bytes(part) for part in manifest.parts.values())
    return [problem for problem in found if problem is not None]


def _secrets(ports: Ports, manifest: Manifest) -> list[str]:
    """Decrypt the secrets, where the key is here, and look whether the server's own key is among them."""
    if not _has_key(ports):
        return []
    content = io.BytesIO()
    try:
        ports.backups.store.read(manifest.parts[SECRETS], content)
        files = files_of(content.getvalue())
    except DamagedError as error:
        return [f"The secrets cannot be decrypted. {error.message}"]
    return [] if files.get(SECRET_KEY) else ["The set has no SECRET_KEY: nobody could read its rows."]


def _dump(ports: Ports, manifest: Manifest, objects: Mapping[str, Stored]) -> list[str]:
    """Read the dump to its end and compare it with the manifest and the list of objects, where the key is here."""
    if not _has_key(ports):
        return []
    part = manifest.parts[DATABASE]
    try:
        places = list(ports.backups.store.places(manifest))
        content = ports.backups.read_dump(lambda sink: ports.backups.store.read(part, sink))
    except (DamagedError, CommandError) as error:
        return [f"The dump cannot be read to its end. {error.message}"]
    named = {*objects, *(place.key for _, place in places)}
    lost = [f"The list lacks the content of {place}." for name, place in places if name not in objects]
    return [*lost[:LISTED], *_differences(content, manifest, named)]


def _differences(content: DumpContent, manifest: Manifest, named: Collection[str]) -> Iterator[str]:
    for table, rows in manifest.database.tables.items():
        found = content.tables.get(table, 0)
        if found != rows:
            yield f"The dump has {found} rows of {table}, the manifest {rows}."
    lacking = content.references - set(named) - {one.name or one.sha256 for one in manifest.missing}
    if lacking:
        yield f"The dump refers to {len(lacking)} objects that the list lacks, such as {_short(min(lacking))}."


def _short(name: str) -> str:
    return name if "/" in name else f"{name[:12]}…"


def _read_at(ports: Ports) -> Mapping[int, datetime]:
    document = ports.records.read(READ_AT) or {}
    return {int(slice): datetime.fromisoformat(moment) for slice, moment in document.items()}


def _record(ports: Ports, read_at: Mapping[int, datetime]) -> None:
    ports.records.write(READ_AT, {str(slice): moment.isoformat() for slice, moment in read_at.items()})
