"""A deployment of containers as the target of a restore."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import BinaryIO, TypeVar

from ...errors import CommandError, DamagedError, NoTablesError
from ...stack.backup_set import SECRET_KEY, Located, NewerFile
from ...stack.model import Delta
from ...stack.ports import Records, RestoreTarget, Settings
from ..deployment.dumps import RESTORE, WHOLE
from ..deployment.postgres_tools import Tools
from ..docker.engine import Engine
from ..postgres import rows
from ..postgres.connection import Database, Transaction
from ..postgres.swap import NEW, OLD, ConnectTo, DatabaseSwap
from .deployment import KEYS
from .deployment_objects import DeploymentObjects
from .programs import input_of, input_there
from .snapshot import counts

#: The `.env` before a restore, among our records.
BEFORE = "restores/env-before"
#: The stores in which a restore has overwritten something; no other one is needed to undo or finish it.
OVERWRITTEN = "restores/overwritten.json"
READER = "pg_restore"
Answer = TypeVar("Answer")


@dataclass(frozen=True)
class Server:
    """The database server of a deployment. `start` makes it run, with the file stores; `name` is the database's."""

    name: str
    connect: ConnectTo
    tools: Callable[[], Tools]
    start: Callable[[], None]


class DeploymentRestoreTarget(RestoreTarget):
    """The database, the file stores and the keys of a deployment. Everything else of its `.env` stays as it is."""

    def __init__(
        self,
        engine: Engine,
        server: Server,
        objects: DeploymentObjects,
        settings: Callable[[], Settings],
        records: Records,
    ) -> None:
        self._engine, self._server, self._objects = engine, server, objects
        self._settings, self._records = settings, records
        self._swap = DatabaseSwap(server.connect)

    @property
    def stores(self) -> tuple[str, ...]:
        return self._objects.names

    def serve_database(self) -> None:
        self._server.start()

    def follow(self, files: Mapping[str, bytes]) -> None:
        """Do nothing: the deployment keeps its own stores."""

    def lacking(self, objects: Iterable[Located]) -> tuple[Located, ...]:
        return self._objects.lacking(objects)

    def put(self, located: Located, read: Callable[[BinaryIO], None]) -> None:
        self._objects.put(located, read)

    def outdated(self, objects: Iterable[Located]) -> tuple[Located, ...]:
        return self._objects.outdated(objects)

    def overwrite(self, located: Located, read: Callable[[BinaryIO], None]) -> None:
        store, noted = self._objects.store_of(located), self._overwritten()
        if store not in noted:
            self._records.write(OVERWRITTEN, {"stores": [*noted, store]})
        self._objects.overwrite(located, read)

    def put_back(self) -> None:
        self._objects.put_back(self._overwritten())
        self._records.remove(OVERWRITTEN)

    def settle_objects(self) -> None:
        self._objects.settle(self._overwritten())
        self._records.remove(OVERWRITTEN)

    def _overwritten(self) -> Sequence[str]:
        return (self._records.read(OVERWRITTEN) or {}).get("stores", ())

    def settle(self) -> None:
        """Do nothing: a store has what it has accepted."""

    def fill(self, write: Callable[[BinaryIO], None]) -> None:
        name = self._server.name + NEW
        self._swap.create(name, like=self._server.name)
        tools = self._server.tools()
        argv = tools.argv("sh", "-c", RESTORE, "sh", name)
        if tools.is_inside:
            said = input_there(self._engine, argv, READER, write)
        else:
            said = input_of(argv, {**os.environ, **tools.environment}, write)
        if not said.strip().endswith(WHOLE):
            raise CommandError(f"The database cannot be filled: {said.strip().splitlines()[-1:] or 'no reason given'}")
        self._swap.take_settings(name, of=self._server.name)

    def discard(self) -> None:
        self._swap.drop(self._server.name + NEW)

    def swap(self) -> None:
        self._swap.bring_in(self._server.name)

    def swap_back(self) -> None:
        self._swap.take_back(self._server.name)

    @property
    def previous(self) -> str:
        return self._server.name + OLD

    def forget(self) -> None:
        self._swap.drop(self.previous)

    def configure(self, files: Mapping[str, bytes], *, settings: bool) -> None:
        """Write the keys of a set to `.env`. Addresses, passwords and stores are those of the server that is there."""
        del settings
        keys = keys_in(files)
        present = self._settings().values()
        if all(present.get(name) == value for name, value in keys.items()):
            return
        if self._records.read_text(BEFORE) is None:
            self._records.write_text(BEFORE, self._settings().text())
        self._settings().change(keys)

    def configure_back(self) -> None:
        before = self._records.read_text(BEFORE)
        if before is None:
            return
        self._settings().restore(before)
        self._records.remove(BEFORE)

    def settle_configuration(self) -> None:
        self._records.remove(BEFORE)

    def forget_workers(self) -> None:
        """Do nothing: an official server has no list of its workers."""

    def silence(self) -> None:
        """Do nothing: no worker looks at a copy."""

    def tables(self) -> Mapping[str, int]:
        try:
            return self._read(counts)
        except NoTablesError:
            return {}

    def edits_since(self, moment: datetime) -> tuple[Delta, ...]:
        return self._read(lambda now: tuple(map(rows.delta, now.rows("backup.edits_since", moment=moment))))

    def files_since(self, moment: datetime) -> tuple[NewerFile, ...]:
        def ask(now: Transaction) -> tuple[NewerFile, ...]:
            if not now.answers("backup.files_since"):
                return ()
            return tuple(NewerFile(**row) for row in now.rows("backup.files_since", moment=moment))

        return self._read(ask)

    def _read(self, ask: Callable[[Transaction], Answer]) -> Answer:
        database = Database(lambda: self._server.connect(self._server.name))
        try:
            with database.reading("backup.begin") as now:
                return ask(now)
        finally:
            database.close()


class ScratchTarget(DeploymentRestoreTarget):
    """A database and a folder of the stores beside those in use, for a drill. `.env` is not touched."""

    def serve_database(self) -> None:
        """Create an empty database: the application looks at it before it is filled."""
        super().serve_database()
        if not self._swap.exists(self._server.name):
            self._swap.create(self._server.name)

    def configure(self, files: Mapping[str, bytes], *, settings: bool) -> None:
        """Look whether the keys are in the set."""
        del settings
        keys_in(files)

    def remove(self) -> None:
        """Remove everything."""
        for name in (self._server.name, self._server.name + NEW, self._server.name + OLD):
            self._swap.drop(name)
        self._objects.empty()


def keys_in(files: Mapping[str, bytes]) -> Mapping[str, str]:
    """Return the keys of a set by their variables. Raises DamagedError without SECRET_KEY."""
    if not files.get(SECRET_KEY):
        raise DamagedError("The set has no SECRET_KEY.", hint="Choose another one: qfc db list")
    return {variable: files[name].decode() for name, variable in KEYS.items() if name in files}
