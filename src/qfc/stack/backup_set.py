"""A backup set: its manifest, and how it is written as JSON. Pure.

A set consists of parts (the dump, the list of objects, configuration, secrets) and of objects, which sets share. It
exists from the moment that its manifest is stored, and counts as a backup once it is complete and verified.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any, BinaryIO, cast

from ..errors import DamagedError, QfcError

FORMAT = 1
DATABASE, REFERENCES, CONFIGURATION, SECRETS = "database.dump", "references.jsonl", "configuration.tar", "secrets.tar"
PARTS = (DATABASE, REFERENCES, CONFIGURATION, SECRETS)
#: The file among the secrets without which the rows of any server cannot be read.
SECRET_KEY = "secrets/SECRET_KEY"
#: The second key of official servers, which may have none.
SALT_KEY = "secrets/SALT_KEY"
#: A part of sets of servers whose store names objects otherwise than by their content.
PLACES = "places.jsonl"


@dataclass(frozen=True)
class Stored:
    """Bytes in a store: their checksum and size, and those of the file there, which is compressed and encrypted."""

    sha256: str
    size: int
    file: str
    stored_sha256: str
    stored_size: int


@dataclass(frozen=True)
class Place:
    """Where a server keeps an object: the name of the store in its settings, the key, the version of a store that has
    versions, and the store's own tag of the content, where it has one."""

    store: str
    key: str
    version: str = ""
    etag: str = ""

    def __str__(self) -> str:
        return f"{self.store}:{self.key}"


@dataclass(frozen=True)
class Reference:
    """An object that the database refers to. `size` is None, and `sha256` empty, where the database does not say.

    `place` is None where the server's store names objects by their content.
    """

    sha256: str
    size: int | None
    place: Place | None = None

    @property
    def name(self) -> str:
        """What the database calls it."""
        return self.place.key if self.place else self.sha256


@dataclass(frozen=True)
class Located:
    """An object of a set, and where the server keeps it."""

    stored: Stored
    place: Place | None = None


@dataclass(frozen=True)
class NewerFile:
    """A version of a project's file that is newer than a set. `project` is `owner/name`.

    `by_job`: a job that applied edits wrote it, and writes it again when they are applied again.
    """

    project_id: str
    project: str
    name: str
    sha256: str
    size: int
    uploaded_by: str | None
    uploaded_at: datetime
    by_job: bool
    store: str = ""
    key: str = ""

    @property
    def reference(self) -> Reference:
        """Its content."""
        return Reference(self.sha256, self.size, Place(self.store, self.key) if self.key else None)


@dataclass(frozen=True)
class Missing:
    """An object that the dump refers to and the set lacks, with the reason. `name` is what the database calls it."""

    sha256: str
    why: str
    name: str = ""

    @property
    def shown(self) -> str:
        """A name for people."""
        return self.name or f"{self.sha256[:12]}…"


@dataclass(frozen=True)
class DatabaseFacts:
    """The database at the moment of the snapshot. `tables` has the rows of each table."""

    taken_at: datetime
    position: str
    snapshot: str
    server_version: str
    tables: Mapping[str, int]
    migrations: Sequence[str]
    newest_job: datetime | None = None
    newest_delta: datetime | None = None


@dataclass(frozen=True)
class Objects:
    """The objects of a set: their number and bytes, and how much of it this set has added to the store."""

    count: int = 0
    bytes: int = 0
    added: int = 0
    added_bytes: int = 0
    added_stored_bytes: int = 0


@dataclass(frozen=True)
class Manifest:
    """The content of a set. A restore is exact as of `taken_at`, the time of the database's snapshot.

    `release` names what the server runs, where that is not part of qfc.
    """

    id: str
    stack: str
    kind: str
    qfc: str
    started_at: datetime
    taken_at: datetime
    finished_at: datetime
    database: DatabaseFacts
    parts: Mapping[str, Stored]
    objects: Objects
    missing: tuple[Missing, ...]
    recipient: str
    encryption: str
    format: int = FORMAT
    release: str = ""

    @property
    def seconds(self) -> float:
        """How long the backup took."""
        return (self.finished_at - self.started_at).total_seconds()

    @property
    def is_complete(self) -> bool:
        """Whether the set has every object that its dump refers to."""
        return not self.missing

    @property
    def size_bytes(self) -> int:
        """The bytes of the content: of the dump and of all objects."""
        return self.parts[DATABASE].size + self.objects.bytes

    @property
    def stored_bytes(self) -> int:
        """The bytes that this set has added to the store."""
        return sum(part.stored_size for part in self.parts.values()) + self.objects.added_stored_bytes


@dataclass(frozen=True)
class DumpContent:
    """What was found in a dump that was read to its end: the rows of each table, the names of objects in rows."""

    tables: Mapping[str, int]
    references: frozenset[str]


@dataclass(frozen=True)
class Verdict:
    """The result of a verification of a set; `full` if every byte was read."""

    set_id: str
    verified_at: datetime
    problems: tuple[str, ...]
    full: bool
    objects_read: int = 0

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong."""
        return not self.problems


def as_json(manifest: Manifest) -> bytes:
    """Return a manifest as it is stored and signed."""
    return json.dumps(asdict(manifest), indent=1, ensure_ascii=False, default=_plain, sort_keys=True).encode() + b"\n"


def from_json(content: bytes) -> Manifest:
    """Return the manifest in a file. Raises DamagedError, and QfcError for one of a newer format."""
    try:
        document: dict[str, Any] = json.loads(content)
        if document["format"] > FORMAT:
            raise QfcError(
                f"Its format {document['format']} is newer than this release of qfc.", hint="Install a newer qfc."
            )
        return _manifest(document)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise DamagedError(f"A manifest cannot be read: {type(error).__name__}.") from error


def verdict_as_json(verdict: Verdict) -> bytes:
    """Return a verdict as it is stored."""
    return json.dumps(asdict(verdict), indent=1, ensure_ascii=False, default=_plain).encode() + b"\n"


def verdict_from_json(content: bytes) -> Verdict:
    """Return a stored verdict. Raises DamagedError."""
    try:
        document = json.loads(content)
        problems = tuple(str(one) for one in document["problems"])
        return Verdict(
            document["set_id"],
            _time(document["verified_at"]),
            problems,
            bool(document["full"]),
            int(document["objects_read"]),
        )
    except (ValueError, KeyError, TypeError) as error:
        raise DamagedError(f"A verdict cannot be read: {type(error).__name__}.") from error


def references_lines(objects: Iterable[Stored]) -> Iterator[bytes]:
    """Yield the lines of a list of objects."""
    for one in objects:
        yield json.dumps(asdict(one), separators=(",", ":")).encode() + b"\n"


def references_of(file: BinaryIO) -> Iterator[Stored]:
    """Yield the objects of a list. Raises DamagedError for a line that is not one."""
    for line in file:
        try:
            yield Stored(**json.loads(line))
        except (ValueError, TypeError) as error:
            raise DamagedError("The list of objects cannot be read.") from error


def places_lines(places: Iterable[tuple[str, Place]]) -> Iterator[bytes]:
    """Yield the lines of the list that says where the server keeps objects, by their sha256."""
    for sha256, place in places:
        yield json.dumps({"sha256": sha256, **asdict(place)}, separators=(",", ":")).encode() + b"\n"


def places_of(file: BinaryIO) -> Iterator[tuple[str, Place]]:
    """Yield sha256 and place of each object of such a list. Raises DamagedError for a line that is not one."""
    for line in file:
        try:
            document = json.loads(line)
            yield document.pop("sha256"), Place(**document)
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise DamagedError("The list of places cannot be read.") from error


def choose(manifests: Sequence[Manifest], wanted: str | None) -> Manifest | None:
    """Return the set with that id, or the only one whose id begins so; without `wanted`, the newest.

    For a time it is the newest set that is not younger; a date means its end. None where there is no such set.
    """
    ordered = sorted(manifests, key=lambda one: one.taken_at)
    if wanted is None:
        return ordered[-1] if ordered else None
    named = [one for one in ordered if one.id.startswith(wanted)]
    if len(named) == 1:
        return named[0]
    limit = _limit(wanted)
    return next((one for one in reversed(ordered) if limit and one.taken_at <= limit), None)


def _limit(text: str) -> datetime | None:
    """Return the time that an operator typed, for a date its end; None for anything else."""
    try:
        moment = _time(text)
    except ValueError:
        return None
    return moment + timedelta(days=1) if len(text) == len("2026-11-30") else moment


def _time(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.astimezone()


def _plain(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} has no JSON")


def _manifest(document: dict[str, Any]) -> Manifest:
    times = {name: _time(document[name]) for name in ("started_at", "taken_at", "finished_at")}
    parts = {name: Stored(**part) for name, part in cast("dict[str, dict[str, Any]]", document["parts"]).items()}
    values: dict[str, Any] = {
        **document,
        **times,
        "database": _facts(document["database"]),
        "parts": parts,
        "objects": Objects(**document["objects"]),
        "missing": tuple(Missing(**one) for one in document["missing"]),
    }
    return Manifest(**values)


def _facts(document: dict[str, Any]) -> DatabaseFacts:
    newest = {name: _time(document[name]) if document[name] else None for name in ("newest_job", "newest_delta")}
    values: dict[str, Any] = {**document, **newest, "taken_at": _time(document["taken_at"])}
    return DatabaseFacts(**values)
