"""Sets of backups for tests: manifests by age, and a store in a folder with what is in it."""

from __future__ import annotations

import io
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path

from qfc.drivers.backups.keys import FileBackupKeys
from qfc.drivers.backups.plain import PlainBackupStore
from qfc.drivers.objects.folder import FolderObjectStore
from qfc.operations.backup.archives import tar_of
from qfc.stack.backup_set import (
    CONFIGURATION,
    DATABASE,
    REFERENCES,
    SECRET_KEY,
    SECRETS,
    DatabaseFacts,
    Manifest,
    Missing,
    Objects,
    Stored,
    Verdict,
    references_lines,
)
from qfc.stack.ports import BackupStore

NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)


def facts(taken_at: datetime = NOW) -> DatabaseFacts:
    """Return the facts of a database with one table."""
    return DatabaseFacts(taken_at, "0/16B3748", "0000-1", "18.0", {"core_job": 3}, ["core.0001_initial"])


def a_set(
    number: int, age: timedelta = timedelta(0), *, size: int = 1000, missing: int = 0, recipient: str = "age1x"
) -> Manifest:
    """Return a manifest of a set of some age, without anything in a store."""
    moment = NOW - age
    parts = {name: Stored("0" * 64, size, name, "0" * 64, size // 2) for name in (DATABASE, SECRETS)}
    lost = tuple(Missing(f"{one:064x}", "lost") for one in range(missing))
    return Manifest(
        f"{moment:%Y%m%d-%H%M%S}-{number:04x}",
        *("local", "embedded", "1.0", moment, moment, moment + timedelta(minutes=10)),
        *(facts(moment), parts, Objects(), lost, recipient, "all"),
    )


def well(*manifests: Manifest) -> dict[str, Verdict]:
    """Return verdicts that nothing is wrong with these sets."""
    return {one.id: Verdict(one.id, one.finished_at, (), True) for one in manifests}


def bad(manifest: Manifest, *problems: str) -> dict[str, Verdict]:
    """Return a verdict that something is wrong with a set."""
    return {manifest.id: Verdict(manifest.id, manifest.finished_at, problems or ("x",), True)}


def store_in(folder: Path, *, encryption: str = "all", own: Path | None = None) -> PlainBackupStore:
    """Return a store in a folder; its key is in `own`, by default beside it."""
    place = own or folder.parent / f"{folder.name}-own"
    keys = FileBackupKeys(place)
    if keys.recipient() is None:
        keys.create()
    return PlainBackupStore(
        FolderObjectStore(folder), keys, place=str(folder), encryption=encryption, progress=place / "progress.jsonl"
    )


def keep_set(
    store: BackupStore,
    objects: Mapping[str, bytes],
    *,
    age: timedelta = timedelta(0),
    secrets: Mapping[str, bytes] = {SECRET_KEY: b"x"},
) -> Manifest:
    """Store a set with these objects, by any name; return its manifest."""
    moment = NOW - age
    id = f"{moment:%Y%m%d-%H%M%S}-{len(objects):04x}"
    known = store.known([digest(one) for one in objects.values()])
    stored = [known.get(digest(one)) or store.put_object(digest(one), io.BytesIO(one)) for one in objects.values()]
    contents = {DATABASE: b"dump" * 1000, CONFIGURATION: b"{}", SECRETS: tar_of(secrets, moment).read()}
    contents[REFERENCES] = b"".join(references_lines(stored))
    parts = {name: store.put_part(id, name, io.BytesIO(one)) for name, one in contents.items()}
    total = sum(len(one) for one in objects.values())
    manifest = Manifest(
        *(id, "local", "embedded", "1.0", moment, moment, moment, facts(moment), parts),
        *(Objects(len(objects), total), (), "", "all"),
    )
    store.seal(manifest)
    return manifest


def digest(content: bytes) -> str:
    """Return the name of an object."""
    return sha256(content).hexdigest()
