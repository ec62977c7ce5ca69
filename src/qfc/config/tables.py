"""The tables of the configuration file: every setting of the suite is named here, once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path, PurePosixPath
from typing import Any

from ..stack.model import Kind
from .schema import WORKED_OUT, setting
from .values import HostPath, LocalPath, OneOf, Schedule, SftpUrl, Text, WholeNumber, Word

#: The stack of `qfc demo`. Commands use it when it is named or the only one, never because it was the first.
DEMO = "demo"
#: Kinds of the stacks that have settings of the built-in node. A deployment has its own in `.env`.
NODE = frozenset({Kind.EMBEDDED})
PORT = WholeNumber(1, 65535)


@dataclass(frozen=True, kw_only=True)
class Top:
    """The keys of the file before any table."""

    default: str | None = setting(
        Text(), None, "the stack that commands use without --stack", variable="QFC_STACK", example="local"
    )


@dataclass(frozen=True, kw_only=True)
class StackConfig:
    """The settings of one stack, `[stacks.NAME]`. None: the value of its last run, else the default.

    `home` is the folder for whatever stacks can share, `notes` the file that notes which stacks have had data.
    """

    name: str
    home: Path
    notes: Path = Path("stacks.json")
    kind: Kind = setting(
        OneOf(Kind),
        Kind.EMBEDDED,
        "what runs the services: embedded or compose",
        otherwise="embedded",
        example="compose",
    )
    folder: Path = setting(
        LocalPath(),
        WORKED_OUT,
        "folder for everything that belongs to the stack",
        otherwise="a folder with its name in $QFC_HOME",
        example="/srv/qfc/local",
    )
    port: int | None = setting(
        WholeNumber(0, 65535),
        None,
        "port of the API, 0 for any free one instead of 8011 and where the last one is in use",
        otherwise="the last one used, else 8011",
        kinds=NODE,
        example=8011,
    )
    bind: str | None = setting(
        Text("ADDRESS"),
        None,
        "address that the API listens on, 0.0.0.0 for all",
        otherwise="127.0.0.1, this machine only",
        kinds=NODE,
        example="127.0.0.1",
    )
    workers: int | None = setting(
        WholeNumber(0, 64),
        None,
        "number of workers, 0 to 64; each runs one job at a time",
        otherwise="2",
        kinds=NODE,
        example=2,
    )
    postgres_bin: Path | None = setting(
        LocalPath(),
        None,
        "folder with the programs of an installed PostgreSQL server",
        otherwise="those of the Python package",
        kinds=NODE,
        example="/usr/lib/postgresql/15/bin",
    )
    database_url_file: Path | None = setting(
        LocalPath(),
        None,
        "file that contains the address of an external database, postgresql://USER:PASSWORD@HOST/NAME",
        kinds=NODE,
        example="/etc/qfc/database-url",
    )
    host: str = setting(
        Word(),
        "local",
        "server to reach over SSH, for a deployment there",
        otherwise="this machine",
        older_variable="QFIELDCLOUD_VPS_HOST",
        example="gis.example.org",
    )
    user: str | None = setting(
        Word(),
        None,
        "account on that server",
        otherwise="the one in ~/.ssh/config, or your own name",
        older_variable="QFIELDCLOUD_VPS_USER",
        example="ops",
    )
    ssh_port: int | None = setting(
        PORT, None, "port of its SSH server", otherwise="the one in ~/.ssh/config, or 22", example=22
    )
    identity_file: Path | None = setting(
        LocalPath(),
        None,
        "private key for the account",
        otherwise="the keys of ssh and its agent",
        example="/home/anna/.ssh/ops",
    )
    ssh_config: Path | None = setting(LocalPath(), None, "file to use instead of ~/.ssh/config", example="/etc/qfc/ssh")
    project_path: PurePosixPath | None = setting(
        HostPath(),
        None,
        "folder of docker-compose.yml and .env on the host",
        otherwise="qfc looks for it",
        older_variable="QFIELDCLOUD_PROJECT_PATH",
        example="/opt/QFieldCloud",
    )
    project: str | None = setting(
        Word(),
        None,
        "name of the Compose project",
        otherwise="the one in its containers' labels or its .env",
        example="qfieldcloud",
    )
    public_host: str | None = setting(
        Word(),
        None,
        "name under which clients reach the server",
        otherwise="the one in its .env",
        older_variable="QFIELDCLOUD_HOST",
        example="field.example.org",
    )


class Encryption(StrEnum):
    """What of a backup is encrypted."""

    ALL = "all"
    SECRETS = "secrets"


class Engine(StrEnum):
    """What stores backups."""

    PLAIN = "plain"
    RESTIC = "restic"


@dataclass(frozen=True, kw_only=True)
class BackupConfig:
    """How stacks are backed up, `[backup]`."""

    engine: Engine = setting(
        OneOf(Engine),
        Engine.PLAIN,
        "plain: files that age, zstd and pg_restore open; restic: a repository of the program restic",
        otherwise="plain",
        example="restic",
    )
    repository: str | None = setting(
        Text(),
        None,
        "restic's repository, as restic calls it",
        otherwise="the folder restic below the folder of backups",
        example="sftp:backup@box.example.org:/srv/restic",
    )
    repository_env: Path | None = setting(
        LocalPath(),
        None,
        "file with what restic needs for it in its environment, NAME=value",
        example="/etc/qfc/restic.env",
    )
    folder: Path | None = setting(
        LocalPath(),
        None,
        "folder for the backups of all stacks, each in a folder with its name; best on another disk",
        otherwise="$QFC_HOME/backups",
        example="/mnt/backup/qfc",
    )
    bucket_file: Path | None = setting(
        LocalPath(),
        None,
        "file that names an S3 bucket for the backups, with the lines STORAGE_… of node.env",
        otherwise="the folder is used",
        example="/etc/qfc/backup-bucket",
    )
    sftp: str | None = setting(
        SftpUrl(),
        None,
        "folder on a server that speaks SFTP; keys, known hosts and jump hosts are those of ssh",
        otherwise="the bucket or the folder is used",
        example="sftp://backup@box.example.org:23/qfc",
    )
    ssh_config: Path | None = setting(
        LocalPath(), None, "file to use for it instead of ~/.ssh/config", example="/etc/qfc/ssh"
    )
    encryption: Encryption = setting(
        OneOf(Encryption),
        Encryption.ALL,
        "what is encrypted to your key: all, or only the secrets",
        otherwise="all",
        example="all",
    )
    period_hours: int = setting(
        WholeNumber(1, 24 * 31), 24, "hours from one backup to the next", otherwise="24", example=24
    )
    keep_last: int = setting(WholeNumber(1, 1000), 7, "how many of the newest sets are kept", otherwise="7", example=7)
    keep_daily: int = setting(WholeNumber(0, 1000), 7, "how many days keep their newest set", otherwise="7", example=7)
    keep_weekly: int = setting(
        WholeNumber(0, 1000), 4, "how many weeks keep their newest set", otherwise="4", example=4
    )
    keep_monthly: int = setting(
        WholeNumber(0, 1000), 6, "how many months keep their newest set", otherwise="6", example=6
    )
    keep_within_days: int = setting(
        WholeNumber(0, 3650), 0, "days within which every set is kept", otherwise="0", example=0
    )
    keep_minimum: int = setting(WholeNumber(1, 1000), 2, "verified sets that are always kept", otherwise="2", example=2)


@dataclass(frozen=True, kw_only=True)
class AuditConfig:
    """Where changes are noted besides the audit log, `[audit]`."""

    file: Path | None = setting(
        LocalPath(),
        None,
        "plain file of this machine that gets a line before and after each change of any stack",
        otherwise="none is written",
        example="/var/log/qfc-operations.log",
    )


@dataclass(frozen=True, kw_only=True)
class RateLimitConfig:
    """How often projects may be synchronised once `qfc ratelimit enable` was typed, `[ratelimit]`."""

    all_per_minute: int = setting(
        WholeNumber(1, 10_000), 10, "synchronisations a minute of all projects together", otherwise="10", example=10
    )
    project_per_minute: int = setting(
        WholeNumber(1, 10_000), 5, "synchronisations a minute of each project", otherwise="5", example=5
    )


@dataclass(frozen=True, kw_only=True)
class MaintenanceConfig:
    """When the jobs of `qfc maintenance` run, `[maintenance]`. `off` switches one off."""

    quick_check: str = setting(
        Schedule(), "every 5m", "when services, queue and disk are looked at", otherwise="every 5m", example="every 5m"
    )
    cleanup: str = setting(
        Schedule(), "every 30m", "when what nothing needs is removed", otherwise="every 30m", example="every 30m"
    )
    restart_workers: str = setting(
        Schedule(), "every 4h", "when idle workers are restarted", otherwise="every 4h", example="off"
    )
    daily: str = setting(
        Schedule(), "02:00", "when the stack is backed up and examined", otherwise="02:00", example="02:00"
    )
    stats: str = setting(
        Schedule(), "06:00", "when the report of its usage is written", otherwise="06:00", example="06:00"
    )
    time_zone: str | None = setting(
        Word(), None, "time zone of these times, for timers of systemd", otherwise="that of the machine",
        example="Europe/Zurich",
    )  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class MetricsConfig:
    """From which values on measurements are no longer good, and bad, `[metrics]`."""

    queue_warning: int = setting(
        WholeNumber(1, 100_000), 5, "waiting jobs from which on the queue is long", otherwise="5", example=5
    )
    queue_bad: int = setting(
        WholeNumber(1, 100_000), 10, "waiting jobs; more are too many if they stay", otherwise="10", example=10
    )
    queue_bad_minutes: int = setting(
        WholeNumber(1, 24 * 60), 30, "minutes for which they have to stay", otherwise="30", example=30
    )
    success_warning: int = setting(
        WholeNumber(0, 100), 90, "per cent of successful jobs; more are good", otherwise="90", example=90
    )
    success_bad: int = setting(
        WholeNumber(0, 100), 80, "per cent of successful jobs; that or fewer are bad", otherwise="80", example=80
    )
    duration_warning_s: int = setting(
        WholeNumber(1, 86_400), 120, "seconds; half of the jobs have to be faster", otherwise="120", example=120
    )
    duration_bad_s: int = setting(
        WholeNumber(1, 86_400), 240, "seconds; it is bad if half of the jobs need more", otherwise="240", example=240
    )


class Switch(StrEnum):
    """Whether something is done."""

    ON = "on"
    OFF = "off"


class Told(StrEnum):
    """From which severity on people are told."""

    WARNING = "warning"
    CRITICAL = "critical"


@dataclass(frozen=True, kw_only=True)
class MonitorConfig:
    """How the monitor watches stacks, `[monitor]`."""

    look_seconds: int = setting(
        WholeNumber(5, 300), 10, "seconds from one look at a stack to the next", otherwise="10", example=10
    )
    deep_seconds: int = setting(
        WholeNumber(60, 86400), 300, "seconds from one look with all checks to the next", otherwise="300", example=300
    )
    heal: Switch = setting(
        OneOf(Switch), Switch.ON, "whether what is safe is repaired: on or off", otherwise="on", example="on"
    )
    ping_url_file: Path | None = setting(
        LocalPath(),
        None,
        "file with an address that is requested every minute while the monitor works: its silence is an alarm",
        otherwise="none is requested",
        example="/etc/qfc/ping-url",
    )


@dataclass(frozen=True, kw_only=True)
class NotifyConfig:
    """How messages of the monitor reach people, `[notify]`."""

    addresses_file: Path | None = setting(
        LocalPath(),
        None,
        "file with one address a line: http:// and https:// for a webhook, all others as Apprise knows them",
        otherwise="no such message is sent",
        example="/etc/qfc/notify",
    )
    command: Path | None = setting(
        LocalPath(),
        None,
        "program that gets each message on its standard input",
        otherwise="none is run",
        example="/usr/local/bin/page-me",
    )
    severity: Told = setting(
        OneOf(Told),
        Told.WARNING,
        "from which severity on alerts are raised: warning or critical",
        otherwise="warning",
        example="warning",
    )


#: Every other table of the file, by its name. `Config.table` returns the one of a class.
TABLES: Mapping[str, type[Any]] = {
    "audit": AuditConfig,
    "backup": BackupConfig,
    "maintenance": MaintenanceConfig,
    "metrics": MetricsConfig,
    "monitor": MonitorConfig,
    "notify": NotifyConfig,
    "ratelimit": RateLimitConfig,
}
