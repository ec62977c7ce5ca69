"""Make a backup: one consistent set, verified before it counts."""

from __future__ import annotations

import secrets
import tempfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import BinaryIO, cast

from ... import __version__
from ...errors import QfcError, RefusedError
from ...stack.backup_key import IMPORT_IT
from ...stack.backup_set import (
    CONFIGURATION,
    DATABASE,
    PLACES,
    REFERENCES,
    SECRETS,
    DatabaseFacts,
    Manifest,
    Missing,
    Stored,
    places_lines,
    references_lines,
)
from ...stack.ports import Ports, Snapshot
from ..guard import Options, guarded
from .archives import tar_of
from .copying import Copying
from .verify import verify_set

#: Lists of objects up to this size stay in memory.
IN_MEMORY = 8 * 1024 * 1024
CREATE_KEY = "Create the key that backups are encrypted to"


@dataclass(frozen=True)
class BackedUp:
    """A set that was made. `missing` lists objects that the dump refers to and nobody has."""

    backup: str
    path: str
    started_at: datetime | None
    seconds: float
    size_bytes: int
    database_bytes: int
    objects: int
    object_bytes: int
    stored_bytes: int
    verified: bool
    missing: tuple[Missing, ...]
    problems: tuple[str, ...]
    key_created: bool
    dry_run: bool
    steps: tuple[str, ...]

    @property
    def exit_code(self) -> int:
        """0 for a set that counts, 5 for one that lacks something, 1 for a damaged one."""
        return 1 if self.problems else 5 if self.missing else 0


def db_backup(ports: Ports, options: Options) -> BackedUp:
    """Make a set under the stack's lock. The first one also creates the key."""
    store = ports.backups.store
    with guarded(ports, "db backup", target=ports.name, options=options, of_moved=True) as guard:
        created = ports.backups.keys.recipient() is None
        if created:
            require_first_key(ports)
        steps = (
            *([CREATE_KEY] if created else []),
            f"Dump the database, then store it with every object that it refers to in {store.place}",
            "Verify the set",
        )
        if False in [guard.step(one) for one in steps]:
            return BackedUp("", store.place, None, 0, 0, 0, 0, 0, 0, False, (), (), created, True, guard.steps)
        manifest, problems = make(ports, options.report)
        guard.result = _result(manifest, problems)
    return _backed_up(ports, manifest, problems, created, guard.steps)


def require_first_key(ports: Ports) -> None:
    """Refuse to create a key where there are backups of another one, which would look damaged. Raises RefusedError."""
    store = ports.backups.store
    if store.manifests() or store.unreadable():
        raise RefusedError(
            f"{store.place} has backups, and their key is not on this machine.",
            hint=f"{IMPORT_IT}. If the key is lost, move these backups away first",
        )


def make(ports: Ports, report: Callable[[str], None]) -> tuple[Manifest, tuple[str, ...]]:
    """Make and verify a set, under the lock; return its manifest and what the verification found."""
    if ports.backups.keys.recipient() is None:
        require_first_key(ports)
        ports.backups.keys.create()
    if ports.backups.keys.identity() is None:
        raise RefusedError(
            "The key is not on this machine, and a set has to be signed and verified with it.",
            hint=IMPORT_IT,
        )
    ports.backups.store.discard_unfinished()
    making = _Making(ports, report)
    with ports.backups.source.snapshot() as snapshot:
        manifest = making.run(snapshot)
    ports.backups.store.seal(manifest)
    verdict = verify_set(ports, manifest, read=making.copying.added)
    return manifest, verdict.problems


def repair(ports: Ports, report: Callable[[str], None]) -> None:
    """Make a set as the repair of a diagnosis, under the lock. Raises QfcError for one that does not count."""
    manifest, problems = make(ports, report)
    if problems or manifest.missing:
        why = problems[0] if problems else f"the server lacks {len(manifest.missing)} files"
        raise QfcError(f"{manifest.id} does not count: {why}", hint="See: qfc db list")


@dataclass
class _Making:
    """A set while it is being made."""

    ports: Ports
    report: Callable[[str], None]
    parts: dict[str, Stored] = field(default_factory=dict[str, Stored])

    def __post_init__(self) -> None:
        self.copying = Copying(self.ports, self.report)

    def run(self, snapshot: Snapshot) -> Manifest:
        """Store everything except the manifest."""
        started = self.ports.clock.now()
        id = f"{snapshot.facts.taken_at:%Y%m%d-%H%M%S}-{secrets.token_hex(2)}"
        with snapshot.dump() as dump:
            self._part(id, DATABASE, dump)
        self.copying.run(snapshot)
        backups = self.ports.backups
        self._part(id, CONFIGURATION, tar_of(backups.source.configuration(), snapshot.facts.taken_at))
        self._part(id, SECRETS, tar_of(backups.source.secrets(), snapshot.facts.taken_at))
        self._list(id, REFERENCES, references_lines(self.copying.objects.values()))
        if self.copying.places:
            self._list(id, PLACES, places_lines(self.copying.places))
        return self._manifest(id, started, snapshot.facts)

    def _part(self, id: str, name: str, content: BinaryIO) -> None:
        self.parts[name] = self.ports.backups.store.put_part(id, name, content)

    def _list(self, id: str, name: str, lines: Iterable[bytes]) -> None:
        with tempfile.SpooledTemporaryFile(IN_MEMORY) as file:
            file.writelines(lines)
            file.seek(0)
            self._part(id, name, cast(BinaryIO, file))

    def _manifest(self, id: str, started: datetime, facts: DatabaseFacts) -> Manifest:
        backups = self.ports.backups
        return Manifest(
            id=id,
            stack=self.ports.name,
            kind=self.ports.kind.value,
            qfc=__version__,
            started_at=started,
            taken_at=facts.taken_at,
            finished_at=self.ports.clock.now(),
            database=facts,
            parts=self.parts,
            objects=self.copying.counted,
            missing=tuple(self.copying.missing),
            recipient=backups.keys.recipient() or "",
            encryption=backups.encryption,
            release=backups.source.release(),
        )


def _result(manifest: Manifest, problems: Iterable[str]) -> str:
    if list(problems):
        return f"failed: {manifest.id} is damaged"
    return f"partly done: {manifest.id} lacks {len(manifest.missing)} objects" if manifest.missing else manifest.id


def _backed_up(
    ports: Ports, manifest: Manifest, problems: tuple[str, ...], created: bool, steps: tuple[str, ...]
) -> BackedUp:
    return BackedUp(
        backup=manifest.id,
        path=ports.backups.store.place,
        started_at=manifest.started_at,
        seconds=round((ports.clock.now() - manifest.started_at).total_seconds(), 3),
        size_bytes=manifest.size_bytes,
        database_bytes=manifest.parts[DATABASE].size,
        objects=manifest.objects.count,
        object_bytes=manifest.objects.bytes,
        stored_bytes=manifest.stored_bytes,
        verified=not problems and manifest.is_complete,
        missing=manifest.missing,
        problems=problems,
        key_created=created,
        dry_run=False,
        steps=steps,
    )
