"""The backups of a deployment of containers, from its configuration."""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING, Any, BinaryIO

from ..stack.ports import Backups, ObjectStore, Ports
from .backups import retention_of, store_of
from .compose import ComposePorts

if TYPE_CHECKING:
    import psycopg

    from ..drivers.backups.deployment_objects import DeploymentObjects
    from ..drivers.backups.deployment_target import DeploymentRestoreTarget, ScratchTarget, Server
    from ..drivers.deployment.postgres_tools import Tools
    from ..stack.ports import BackupSource

#: The database of a drill is named like the one in use, with this ending; its files are in this folder of the stores.
DRILL, DRILL_FOLDER = "_qfc_drill", "qfc-drill/"
DATABASE = "db"
#: The services that hold files, in the releases.
STORES = ("minio", "rustfs", "webdav")


def deployment_backups(ports: ComposePorts) -> Backups:
    """Return the backups of a deployment. Nothing is created or connected."""
    objects = ports.once("backup_objects", lambda: _objects(ports))
    return _backups(
        ports,
        lambda: _source(ports, ports.connect, objects),
        lambda: _target(ports, objects),
        lambda: scratch_deployment(ports),
    )


class ScratchPorts(ComposePorts):
    """A copy of a deployment's data beside them: another database of its server, a folder of its stores.

    Commands of the application run in its container, on the copy.
    """

    def __init__(self, ports: ComposePorts) -> None:
        super().__init__(ports.stack, ports.machine, ports.backup_settings)
        self._ports = ports

    @property
    def database_name(self) -> str:
        """The name of the copy."""
        return self._ports.database.access().database + DRILL

    def connect(self) -> psycopg.Connection[Any]:
        """Return a new connection to the copy."""
        return self._ports.database.connect(self.database_name)

    def variables(self) -> Mapping[str, str]:
        """Return the variable that names the copy."""
        return {"POSTGRES_DB": self.database_name}

    @property
    def scratch_target(self) -> ScratchTarget:
        """The copy as the target of a restore."""
        from ..drivers.backups.deployment_target import ScratchTarget

        server = _server(self._ports, self.database_name)
        return ScratchTarget(
            self._ports.engine, server, self._scratch_objects(), lambda: self._ports.deployment.settings, self.records
        )

    @property
    def backups(self) -> Backups:
        """Source and target are the copy."""
        return self.once(
            "backups",
            lambda: _backups(
                self,
                lambda: _source(self._ports, self.connect, self._scratch_objects()),
                lambda: self.scratch_target,
                lambda: scratch_deployment(self._ports),
            ),
        )

    def _scratch_objects(self) -> DeploymentObjects:
        return self.once("scratch_objects", lambda: _objects(self._ports, below=DRILL_FOLDER))


@contextmanager
def scratch_deployment(ports: ComposePorts) -> Generator[Ports]:
    """Give an empty copy beside a deployment's data; remains of one that was killed are removed first."""
    scratch = ScratchPorts(ports)
    scratch.scratch_target.remove()
    try:
        yield scratch
    finally:
        scratch.once.close()
        scratch.scratch_target.remove()
        scratch.once.close()


def _backups(
    ports: ComposePorts,
    source: Callable[[], BackupSource],
    target: Callable[[], DeploymentRestoreTarget],
    scratch: Callable[[], AbstractContextManager[Ports]],
) -> Backups:
    from ..drivers.backups.backups import StackBackups
    from ..drivers.backups.snapshot import born_at
    from ..drivers.deployment.postgres_tools import programs

    config = ports.backup_settings
    return StackBackups(
        *store_of(ports, config),
        source,
        target,
        scratch,
        retention=retention_of(config),
        encryption=config.encryption.value,
        records=ports.records,
        born_at=lambda: born_at(ports.connect),
        pg_restore=lambda: [str(programs() / "pg_restore")],
    )


def _source(
    ports: ComposePorts, connect: Callable[[], psycopg.Connection[Any]], objects: DeploymentObjects
) -> BackupSource:
    from ..drivers.backups.deployment import DeploymentBackupSource
    from ..drivers.backups.programs import output_of, output_there

    def program(words: Sequence[str]) -> AbstractContextManager[BinaryIO]:
        tools = _tools(ports)
        argv = tools.argv(*words, ports.database.access().database)
        if tools.is_inside:
            return output_there(ports.engine, argv, words[0])
        return output_of(argv, {**os.environ, **tools.environment})

    return DeploymentBackupSource(ports.observer, lambda: ports.deployment, connect, program, objects)


def _target(ports: ComposePorts, objects: DeploymentObjects) -> DeploymentRestoreTarget:
    from ..drivers.backups.deployment_target import DeploymentRestoreTarget

    server = _server(ports, ports.database.access().database)
    return DeploymentRestoreTarget(ports.engine, server, objects, lambda: ports.deployment.settings, ports.records)


def _server(ports: ComposePorts, name: str) -> Server:
    from ..drivers.backups.deployment_target import Server

    return Server(name, ports.database.connect, lambda: _tools(ports), lambda: _start_stores(ports))


def _tools(ports: ComposePorts) -> Tools:
    from ..drivers.deployment.postgres_tools import tools_of

    return tools_of(ports.database.access(), ports.observer, ports.database.parameters)


def _start_stores(ports: ComposePorts) -> None:
    """Start the deployment's own database and file stores, as far as they do not run."""
    own = [one.name for one in ports.runtime.services() if one.name in (DATABASE, *STORES)]
    stopped = [name for name in own if not any(one.is_running for one in ports.observer.containers(name))]
    if stopped:
        ports.runtime.start(stopped)


def _objects(ports: ComposePorts, *, below: str = "") -> DeploymentObjects:
    from ..drivers.backups.deployment_objects import DeploymentObjects
    from ..drivers.objects.choice import opened, stores_of

    def stores() -> Mapping[str, ObjectStore]:
        found = stores_of(ports.observer.environment("app"))
        return {name: opened(store, ports.endpoint_here, below=below) for name, store in found.items()}

    return DeploymentObjects(stores)
