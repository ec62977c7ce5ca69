"""Backups: the store of the sets, the operator's key, the stack as the source of a set and the target of a restore."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from datetime import datetime
from typing import TYPE_CHECKING, BinaryIO, Protocol

from ..backup_health import BackupState
from ..backup_project import ProjectContent
from ..backup_rules import Retention
from ..backup_set import (
    DatabaseFacts,
    DumpContent,
    Located,
    Manifest,
    NewerFile,
    Place,
    Reference,
    Stored,
    Verdict,
)
from ..model import Delta

if TYPE_CHECKING:
    from .stack import Ports


class BackupStore(Protocol):
    """The place of a stack's sets. Nothing in it is changed once it is stored, except that sets are removed."""

    @property
    def place(self) -> str:
        """The place, as people know it."""
        ...

    @property
    def by_hand(self) -> tuple[str, ...]:
        """Lines of the recovery sheet that a restore without qfc needs besides the key."""
        ...

    def known(self, wanted: Collection[str]) -> Mapping[str, Stored]:
        """Return which of these objects are in the store as a whole, by sha256: they need not be stored again."""
        ...

    def put_object(self, sha256: str, content: BinaryIO) -> Stored:
        """Store an object. Raises DamagedError if the content has another sha256; then nothing is stored."""
        ...

    def put_part(self, set_id: str, name: str, content: BinaryIO) -> Stored:
        """Store a part of a set."""
        ...

    def seal(self, manifest: Manifest) -> None:
        """Store the signed manifest: from now on the set exists."""
        ...

    def manifests(self) -> tuple[Manifest, ...]:
        """Return the manifests of all sets, the oldest first; damaged ones are left out, see `unreadable`."""
        ...

    def unreadable(self) -> tuple[str, ...]:
        """Return the ids of sets whose manifest is damaged or not signed by the operator's key."""
        ...

    def references(self, manifest: Manifest) -> Iterator[Stored]:
        """Return the objects of a set. Raises DamagedError."""
        ...

    def places(self, manifest: Manifest) -> Iterator[tuple[str, Place]]:
        """Return where the server keeps objects of a set, by sha256; nothing where its store names them by content."""
        ...

    def read(self, stored: Stored, sink: BinaryIO) -> None:
        """Write the content of a stored file to `sink`. Raises DamagedError unless every byte of it is right."""
        ...

    def prepared(self, stored: Iterable[Stored]) -> AbstractContextManager[None]:
        """Within the block these files are read one after another: fetch them at once where that is faster."""
        ...

    def look(self, stored: Iterable[Stored]) -> Iterator[str]:
        """Yield a sentence for each file that is missing or has another size."""
        ...

    def check_bytes(self, stored: Stored) -> str | None:
        """Read every byte of a file; return what is wrong with it. Needs no key."""
        ...

    def judge(self, verdict: Verdict) -> None:
        """Store the result of a verification."""
        ...

    def verdicts(self) -> Mapping[str, Verdict]:
        """Return the newest verdict on each set, by its id."""
        ...

    def remove(self, set_ids: Collection[str]) -> int:
        """Remove sets, then whatever no other set needs; return the bytes that this freed."""
        ...

    def discard_unfinished(self) -> None:
        """Remove parts of sets that were interrupted before their manifest. Their objects stay, to be used again."""
        ...


class BackupKeys(Protocol):
    """The operator's key: everything is encrypted to it and every manifest is signed with it."""

    def recipient(self) -> str | None:
        """Return the public part; None without a key."""
        ...

    def identity(self) -> str | None:
        """Return the secret part; None where only the operator has it."""
        ...

    def create(self) -> str:
        """Create a key; return its public part. Raises RefusedError if there is one."""
        ...

    def adopt(self, identity: str) -> str:
        """Store a key that the operator has; return its public part. Raises RefusedError if another one is there."""
        ...


class Snapshot(Protocol):
    """The database at one moment. While it is open, the server removes no object that it refers to."""

    @property
    def facts(self) -> DatabaseFacts:
        """The moment and the content."""
        ...

    def references(self) -> Iterator[Reference]:
        """Yield every object that the database refers to, each once; one at several places, once for each."""
        ...

    def dump(self) -> AbstractContextManager[BinaryIO]:
        """Open a stream of the dump. Reading its end raises CommandError if the dump is incomplete."""
        ...

    def still_named(self, names: Collection[str]) -> frozenset[str]:
        """Return which of these objects, by their names in the database, it refers to now, after the snapshot."""
        ...


class BackupSource(Protocol):
    """What a set is made of."""

    def snapshot(self) -> AbstractContextManager[Snapshot]:
        """Take a snapshot of the database; keep the objects that it refers to until the block ends."""
        ...

    def open(self, reference: Reference) -> BinaryIO:
        """Open an object. Raises NotFoundError."""
        ...

    def release(self) -> str:
        """Return the name of the server's release; empty where it is that of qfc."""
        ...

    def configuration(self) -> Mapping[str, bytes]:
        """Return the files of the configuration that are not secret, by name."""
        ...

    def secrets(self) -> Mapping[str, bytes]:
        """Return the secret files, by name."""
        ...


class RestoreTarget(Protocol):
    """A stack whose data are replaced. Each method can be repeated after an interruption."""

    @property
    def stores(self) -> tuple[str, ...]:
        """The names of the file stores in its settings; none where names of objects suffice."""
        ...

    def serve_database(self) -> None:
        """Start the database alone, with the newest files of the release; an empty stack gets an empty one.

        API and workers stay as they are, whichever release they are of.
        """
        ...

    def follow(self, files: Mapping[str, bytes]) -> None:
        """Use the store that the settings among these files name, from now on."""
        ...

    def lacking(self, objects: Iterable[Located]) -> tuple[Located, ...]:
        """Return the objects that the stack's store does not have."""
        ...

    def put(self, located: Located, read: Callable[[BinaryIO], None]) -> None:
        """Store an object that `read` writes. Nothing is removed or overwritten."""
        ...

    def outdated(self, objects: Iterable[Located]) -> tuple[Located, ...]:
        """Return the objects in whose places the stack's store has something else."""
        ...

    def overwrite(self, located: Located, read: Callable[[BinaryIO], None]) -> None:
        """Store an object that `read` writes in place of another one, which is kept until the restore ends."""
        ...

    def put_back(self) -> None:
        """Bring back what was overwritten; it can be repeated."""
        ...

    def settle_objects(self) -> None:
        """Remove what was kept of what was overwritten."""
        ...

    def settle(self) -> None:
        """Wait until every object is on the disk."""
        ...

    def fill(self, write: Callable[[BinaryIO], None]) -> None:
        """Restore a dump into a new database beside the one in use; `write` writes it. Raises CommandError."""
        ...

    def discard(self) -> None:
        """Remove the new database, if it is there."""
        ...

    def swap(self) -> None:
        """Put the new database in the place of the one in use, which stays beside it."""
        ...

    def swap_back(self) -> None:
        """Put the previous database back in its place, if it was swapped, and open it; the restored one is removed."""
        ...

    @property
    def previous(self) -> str:
        """The name of the previous database, while it is there."""
        ...

    def forget(self) -> None:
        """Remove the previous database."""
        ...

    def configure(self, files: Mapping[str, bytes], *, settings: bool) -> None:
        """Write the secret key of a set and, if `settings`, the operator's settings; keep the present ones beside them.

        Raises DamagedError, before anything is written, for a set without the key.
        """
        ...

    def configure_back(self) -> None:
        """Put the previous secrets and settings back, if they were replaced."""
        ...

    def settle_configuration(self) -> None:
        """Remove the previous secrets and settings."""
        ...

    def silence(self) -> None:
        """End every job that is waiting or running, so that a copy does nothing that the original has to do."""
        ...

    def forget_workers(self) -> None:
        """Remove what the restored database knows of workers that ran when the set was made."""
        ...

    def tables(self) -> Mapping[str, int]:
        """Return the rows of each table now; empty for a database without tables. Raises QfcError if it is damaged."""
        ...

    def edits_since(self, moment: datetime) -> tuple[Delta, ...]:
        """Return the edits that arrived after a moment, with the content that devices sent, in order."""
        ...

    def files_since(self, moment: datetime) -> tuple[NewerFile, ...]:
        """Return the versions of project files that were stored after a moment, in order."""
        ...


class ProjectTarget(Protocol):
    """One project of a stack, beside a database that a restore has filled. Nothing of other projects is changed."""

    def present(self, wanted: str) -> ProjectContent | None:
        """Return the project as it is now, by id or OWNER/NAME; None if it does not exist any more."""
        ...

    def kept(self, wanted: str) -> ProjectContent:
        """Return the project as the filled database has it, by id or OWNER/NAME. Raises NotFoundError."""
        ...

    def objects(self, project: str) -> frozenset[str]:
        """Return the names of the objects that its rows there refer to."""
        ...

    def lacking_accounts(self, project: str) -> tuple[str, ...]:
        """Return the names of the accounts that its rows name and that do not exist any more."""
        ...

    def has_readable_secrets(self, project: str, files: Mapping[str, bytes]) -> bool:
        """Return whether the stack can decrypt its secrets there, if any; `files` are the secret ones of the set."""
        ...

    def replace(self, project: ProjectContent, *, kept: Callable[[], None], held: Callable[[], None]) -> None:
        """Put all its rows in the place of the present ones, in one transaction. Raises RefusedError for taken ids.

        In it, `kept` is called when the server removes no object any more until it ends, `held` when nobody else can
        write to the project any more.
        """
        ...


class Backups(Protocol):
    """Everything about the backups of one stack."""

    @property
    def store(self) -> BackupStore: ...
    @property
    def keys(self) -> BackupKeys: ...
    @property
    def source(self) -> BackupSource: ...
    @property
    def target(self) -> RestoreTarget: ...

    @property
    def project_target(self) -> ProjectTarget:
        """The projects, one by one. Raises RefusedError for a deployment."""
        ...

    @property
    def retention(self) -> Retention:
        """Which sets are kept."""
        ...

    @property
    def encryption(self) -> str:
        """What is encrypted: `all`, or `secrets` alone."""
        ...

    def scratch(self) -> AbstractContextManager[Ports]:
        """Give an empty stack on this machine, for a drill; it is removed with everything in it when the block ends."""
        ...

    def read_dump(self, write: Callable[[BinaryIO], None]) -> DumpContent:
        """Read a dump to its end; `write` writes it. Raises CommandError when it is incomplete."""
        ...

    def state(self) -> BackupState:
        """Return what the diagnosis judges."""
        ...
