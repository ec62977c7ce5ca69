"""An embedded stack as the target of a restore."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO, TypeVar, cast

import psycopg

from ...errors import DamagedError, NoTablesError, QfcError
from ...files import keep_file
from ...stack.backup_set import SECRET_KEY, Located, NewerFile
from ...stack.model import Delta
from ...stack.ports import ObjectStore, RestoreTarget
from ..objects.folder import FolderObjectStore
from ..objects.s3 import S3ObjectStore, bucket_of
from ..postgres import rows
from ..postgres.connection import Database, Transaction, connect_to
from ..postgres.swap import NEW, OLD, DatabaseSwap
from ..postgres_server import Endpoint
from ..runtimes.embedded import EmbeddedRuntime
from ..runtimes.embedded.programs import environment_of
from .embedded import NODE_ENV, object_key
from .programs import input_of
from .project import EmbeddedProjectTarget
from .sealing import PIECE
from .snapshot import counts

#: What a restore writes. The password of the database and its address stay: they are those of the server that is there.
WRITTEN = (NODE_ENV, SECRET_KEY)
BEFORE = ".before-restore"
DATABASE = "db"
Answer = TypeVar("Answer")


class EmbeddedRestoreTarget(RestoreTarget):
    """The database, the blobs and the settings of an embedded stack."""

    def __init__(self, runtime: EmbeddedRuntime) -> None:
        self._runtime = runtime
        self._objects = self._store_of(runtime.own_settings())
        self._swap = DatabaseSwap(lambda name: self._connect(database=name))

    @property
    def _endpoint(self) -> Endpoint:
        return self._runtime.endpoint()

    @property
    def stores(self) -> tuple[str, ...]:
        return ()

    def serve_database(self) -> None:
        if self._runtime.settings.database_url_file is None:
            self._runtime.start([DATABASE])

    def follow(self, files: Mapping[str, bytes]) -> None:
        path = self._runtime.layout.node_environment
        self._objects = self._store_of(environment_of(files.get(NODE_ENV, b"").decode(), path))

    def _store_of(self, settings: Mapping[str, str]) -> ObjectStore:
        bucket = bucket_of(settings, prefix="blobs/")
        return S3ObjectStore(bucket) if bucket else FolderObjectStore(self._runtime.layout.blobs, later=True)

    def lacking(self, objects: Iterable[Located]) -> tuple[Located, ...]:
        present = dict(self._objects.keys())
        return tuple(one for one in objects if present.get(object_key(one.stored.sha256)) != one.stored.size)

    def put(self, located: Located, read: Callable[[BinaryIO], None]) -> None:
        with tempfile.SpooledTemporaryFile(8 * PIECE, dir=str(self._staging())) as content:
            read(cast(BinaryIO, content))
            content.seek(0)
            self._objects.put(object_key(located.stored.sha256), cast(BinaryIO, content))

    def outdated(self, objects: Iterable[Located]) -> tuple[Located, ...]:
        """Return none: an object with another content has another name."""
        del objects
        return ()

    def overwrite(self, located: Located, read: Callable[[BinaryIO], None]) -> None:
        self.put(located, read)

    def put_back(self) -> None:
        """Do nothing: nothing is overwritten."""

    def settle_objects(self) -> None:
        """Do nothing: nothing is overwritten."""

    def settle(self) -> None:
        if isinstance(self._objects, FolderObjectStore):
            self._objects.settle()

    def fill(self, write: Callable[[BinaryIO], None]) -> None:
        name = self._endpoint.database + NEW
        self._swap.create(name, like=self._endpoint.database)
        words = ["pg_restore", "--no-owner", "--exit-on-error", "--no-password", f"--dbname={name}"]
        input_of(*self._runtime.database_command(words), write)
        self._swap.take_settings(name, of=self._endpoint.database)

    def discard(self) -> None:
        self._swap.drop(self._endpoint.database + NEW)

    def swap(self) -> None:
        self._swap.bring_in(self._endpoint.database)

    def swap_back(self) -> None:
        self._swap.take_back(self._endpoint.database)

    @property
    def previous(self) -> str:
        return self._endpoint.database + OLD

    def forget(self) -> None:
        self._swap.drop(self._endpoint.database + OLD)

    def configure(self, files: Mapping[str, bytes], *, settings: bool) -> None:
        if SECRET_KEY not in files:
            raise DamagedError(f"The set has no {SECRET_KEY}.", hint="Choose another one: qfc db list")
        for path, before in self._files():
            name = path.relative_to(self._runtime.layout.folder).as_posix()
            if name == NODE_ENV and not settings:
                continue
            content = files.get(name)
            if not before.exists():
                present = path.read_bytes() if path.exists() else b""
                keep_file(before, present, mode=0o600)
            if content is not None:
                keep_file(path, content, mode=0o600)
            else:
                path.unlink(missing_ok=True)

    def configure_back(self) -> None:
        for path, before in self._files():
            if not before.exists():
                continue
            content = before.read_bytes()
            if content:
                keep_file(path, content, mode=0o600)
            else:
                path.unlink(missing_ok=True)
            before.unlink()

    def settle_configuration(self) -> None:
        for _, before in self._files():
            before.unlink(missing_ok=True)

    def silence(self) -> None:
        database = Database(self._connect)
        try:
            with database.writing() as copy:
                copy.change("backup.as_replica")
                copy.change("backup.silence")
        finally:
            database.close()

    def forget_workers(self) -> None:
        database = Database(self._connect)
        try:
            with database.writing() as now:
                now.change("backup.forget_workers")
        finally:
            database.close()

    def tables(self) -> Mapping[str, int]:
        try:
            return self._read(counts)
        except NoTablesError:
            return {}

    def edits_since(self, moment: datetime) -> tuple[Delta, ...]:
        return self._read(lambda now: tuple(map(rows.delta, now.rows("backup.edits_since", moment=moment))))

    def files_since(self, moment: datetime) -> tuple[NewerFile, ...]:
        return self._read(lambda now: tuple(NewerFile(**row) for row in now.rows("backup.files_since", moment=moment)))

    def _read(self, ask: Callable[[Transaction], Answer]) -> Answer:
        database = Database(self._connect)
        try:
            with database.reading("backup.begin") as now:
                return ask(now)
        finally:
            database.close()

    def projects(self) -> EmbeddedProjectTarget:
        """Return the projects of this stack, one by one."""
        return EmbeddedProjectTarget(lambda name: self._connect(database=name), self._endpoint.database)

    def _files(self) -> list[tuple[Path, Path]]:
        """Return each file that a restore writes, and the place of its previous content; empty: there was none."""
        paths = [self._runtime.layout.folder / name for name in WRITTEN]
        return [(path, path.with_name(path.name + BEFORE)) for path in paths]

    def _staging(self) -> Path:
        folder = self._runtime.layout.node / "staging"
        with suppress(OSError):
            folder.mkdir(parents=True, exist_ok=True)
        if not folder.is_dir():
            raise QfcError(f"{folder} cannot be written.", hint="Check free space and permissions.")
        return folder

    def _connect(self, database: str | None = None) -> psycopg.Connection[Any]:
        endpoint = replace(self._endpoint, database=database) if database else self._endpoint
        return connect_to(
            host=endpoint.host,
            port=endpoint.port,
            user=endpoint.user,
            password=endpoint.password,
            dbname=endpoint.database,
        )()
