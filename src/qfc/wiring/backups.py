"""The place of backups from the configuration, and the backups of an embedded stack."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from ..config import BackupConfig
from ..config.tables import Engine
from ..errors import ConfigError, QfcError
from ..stack.backup_rules import Retention
from ..stack.ports import Backups, BackupStore, ObjectStore, Ports

if TYPE_CHECKING:
    from ..drivers.backups.keys import FileBackupKeys
    from .base import StackPorts
    from .embedded import EmbeddedPorts


def embedded_backups(ports: EmbeddedPorts, config: BackupConfig) -> Backups:
    """Return the backups of an embedded stack. Nothing is created."""
    from ..drivers.backups.backups import StackBackups
    from ..drivers.backups.embedded import EmbeddedBackupSource
    from ..drivers.backups.restore import EmbeddedRestoreTarget

    return StackBackups(
        *store_of(ports, config),
        lambda: EmbeddedBackupSource(ports.embedded, ports.connect, ports.objects),
        lambda: EmbeddedRestoreTarget(ports.embedded),
        lambda: scratch_stack(ports),
        retention=retention_of(config),
        encryption=config.encryption.value,
        records=ports.records,
        born_at=lambda: _born_at(ports.embedded.layout.secrets / "SECRET_KEY"),
        pg_restore=ports.embedded.pg_restore,
        projects=lambda: EmbeddedRestoreTarget(ports.embedded).projects(),
    )


def store_of(ports: StackPorts, config: BackupConfig) -> tuple[BackupStore, FileBackupKeys]:
    """Return the place of a stack's sets, and its key."""
    from ..drivers.backups.keys import KEYS, FileBackupKeys
    from ..drivers.backups.plain import PlainBackupStore

    own = ports.folder / KEYS
    keys = FileBackupKeys(own)
    if config.engine is Engine.RESTIC:
        return _restic(ports, config, keys), keys
    target, place, settle = _target(ports, config)
    progress, encryption = own / "progress.jsonl", config.encryption.value
    return PlainBackupStore(target, keys, place=place, encryption=encryption, progress=progress, settle=settle), keys


@contextmanager
def scratch_stack(ports: EmbeddedPorts) -> Generator[Ports]:
    """Give an empty stack without workers beside another one; remains of one that was killed are removed first."""
    from ..drivers.runtimes.embedded.state import ANY_PORT
    from .embedded import EmbeddedPorts

    folder = ports.stack.home / f".drill-{ports.name}"
    settings = replace(
        ports.stack,
        name=f"drill-{ports.name}",
        folder=folder,
        # Nothing of it is to be remembered, and the other stack may use the usual port.
        notes=folder / "stacks.json",
        port=ANY_PORT,
        bind=None,
        workers=0,
        database_url_file=None,
    )
    scratch = EmbeddedPorts(settings, BackupConfig(folder=folder / "backups"))
    _remove(scratch)
    try:
        yield scratch
    finally:
        _remove(scratch)


def _remove(scratch: EmbeddedPorts) -> None:
    """Stop a stack and remove all of it. Raises QfcError when something of it stays."""
    if not scratch.folder.exists():
        return
    scratch.close()
    scratch.runtime.stop(None, now=True)
    scratch.close()
    shutil.rmtree(scratch.folder, ignore_errors=True)
    if scratch.folder.exists():
        raise QfcError(f"{scratch.folder} cannot be removed.", hint="Remove it by hand.")


def _target(ports: StackPorts, config: BackupConfig) -> tuple[ObjectStore, str, Callable[[], None]]:
    """Return the place of the sets, its name for people, and what forces everything to its disk."""
    if config.sftp is not None and config.bucket_file is not None:
        raise ConfigError(
            ["backup.sftp and backup.bucket_file exclude each other."], hint="Backups go to one place: remove one."
        )
    if config.sftp is not None:
        return _sftp(config.sftp, config.ssh_config, ports)
    if config.bucket_file is not None:
        from ..drivers.objects.s3 import S3ObjectStore, bucket_of
        from ..drivers.runtimes.embedded.programs import read_environment_file

        bucket = bucket_of(read_environment_file(config.bucket_file), prefix=f"{ports.name}/")
        if bucket is None:
            raise ConfigError(
                [f"backup.bucket_file {config.bucket_file} names no bucket."], hint="Add STORAGE_BUCKET_NAME=NAME."
            )
        return S3ObjectStore(bucket), f"bucket {bucket.name}/{ports.name}", lambda: None
    from ..drivers.objects.folder import FolderObjectStore

    folder = (config.folder or Path(ports.stack.home) / "backups") / ports.name
    store = FolderObjectStore(folder, later=True)
    return store, str(folder), store.settle


def _restic(ports: StackPorts, config: BackupConfig, keys: FileBackupKeys) -> BackupStore:
    from ..drivers.backups.restic import ResticBackupStore
    from ..drivers.backups.restic_program import Restic, require_program
    from ..drivers.runtimes.embedded.programs import read_environment_file

    own = ports.folder / "backup/restic"
    repository = config.repository or str((config.folder or Path(ports.stack.home) / "backups") / "restic")
    given = read_environment_file(config.repository_env) if config.repository_env else {}
    program = require_program(shutil.which("restic"))
    return ResticBackupStore(Restic(repository, ports.name, own, keys.identity, given, program), keys, own)


def _sftp(url: str, ssh_config: Path | None, ports: StackPorts) -> tuple[ObjectStore, str, Callable[[], None]]:
    from ..drivers.hosts.ssh import SshSettings
    from ..drivers.objects.sftp import Sftp, SftpObjectStore

    parts = urlsplit(url)
    ssh = SshSettings(parts.hostname or "", unquote(parts.username) if parts.username else None, parts.port,
                      config_file=ssh_config)  # fmt: skip
    folder = unquote(parts.path)
    place = Sftp(ssh, PurePosixPath(folder.removeprefix("/~/")) / ports.name)
    store = ports.once("backup_sftp", lambda: SftpObjectStore(place, ports.folder / "backup/spool"))
    return store, place.name, lambda: None


def _born_at(secret: Path) -> datetime | None:
    """Return when a stack was first started: its secret was created then."""
    try:
        return datetime.fromtimestamp(secret.stat().st_mtime, UTC)
    except OSError:
        return None


def retention_of(config: BackupConfig) -> Retention:
    return Retention(
        last=config.keep_last,
        daily=config.keep_daily,
        weekly=config.keep_weekly,
        monthly=config.keep_monthly,
        within_days=config.keep_within_days,
        minimum=config.keep_minimum,
        period_hours=config.period_hours,
    )
