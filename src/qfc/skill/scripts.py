"""The scripts of the skill: names and flags that operators know, and the commands of `qfc` that they call.

`tools/make_reference.py` writes a script for each entry into `skill/qfieldcloud/scripts`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

Words = tuple[str, ...]


@dataclass(frozen=True)
class Flag:
    """A flag of a script. With `metavar` it takes a value.

    `becomes` is what `qfc` gets in its place; no words: the value alone, as an argument. `command` is the command that
    the flag selects. `actions` are the values of `--action` that it goes with; none means all.
    """

    name: str
    text: str
    metavar: str | None = None
    becomes: Words | None = None
    command: Words | None = None
    actions: Words = ()

    @property
    def words(self) -> Words:
        """Return what stands before the value in the command line of `qfc`."""
        if self.becomes is not None:
            return self.becomes
        return () if self.command else (self.name,)


@dataclass(frozen=True)
class Script:
    """A script: `command` without a flag that selects one, `actions` by the value of `--action`."""

    name: str
    text: str
    command: Words | None = None
    actions: Mapping[str, Words] = field(default_factory=dict[str, Words])
    flags: tuple[Flag, ...] = ()


def _argument(name: str, text: str, metavar: str, *actions: str) -> Flag:
    return Flag(name, text, metavar, becomes=(), actions=actions)


_SERVICE = ("restart", "rebuild", "recreate")
_CREATE = ("create",)

SCRIPTS: tuple[Script, ...] = (
    Script("status.py", "Services, their health, the queue and the disk.", ("status",)),
    Script(
        "deploy.py",
        "Deploy another release; goes back by itself if the new one does not work.",
        ("deploy",),
        flags=(
            Flag("--branch", "The newest commit of this branch.", "B"),
            Flag("--tag", "This release.", "T"),
            Flag("--migrate", "Migrate the database."),
            Flag("--collectstatic", "Collect static files."),
            Flag("--rollback", "Go back to the release before.", command=("deploy", "rollback")),
            Flag("--history", "List what was deployed.", command=("deploy", "history")),
        ),
    ),
    Script(
        "logs.py",
        "The logs of all services in the order of time.",
        ("logs",),
        flags=(
            Flag("--service", "Only this service.", "NAME"),
            Flag("--lines", "At most so many lines of a service.", "N"),
            Flag("--follow", "Print new lines until Ctrl-C."),
            Flag("--since", "Only lines of the last 15m, 2h, 3d.", "SPAN"),
            Flag("--grep", "Only lines that match.", "REGEX"),
        ),
    ),
    Script(
        "database.py",
        "The database: state, backup, restore, migration, psql.",
        actions={
            "status": ("db", "status"),
            "backup": ("db", "backup"),
            "restore": ("db", "restore"),
            "migrate": ("db", "migrate"),
            "shell": ("db", "shell"),
            "list": ("db", "list"),
            "verify": ("db", "verify"),
            "drill": ("db", "drill"),
        },
        flags=(Flag("--to", "The backup to restore, by its id or a time.", "BACKUP|TIME", actions=("restore",)),),
    ),
    Script(
        "health.py",
        "Probe the server the way its clients reach it.",
        ("health",),
        flags=(
            Flag("--verbose", "Every probe with its response time."),
            Flag("--endpoint", "Probe only this path.", "PATH"),
        ),
    ),
    Script(
        "users.py",
        "List and create users; set their quota.",
        actions={
            "list": ("users", "list"),
            "create": ("users", "create"),
            "quota": ("users", "quota"),
            "password": ("users", "password"),
            "unlock": ("users", "unlock"),
        },
        flags=(
            _argument("--username", "The user.", "NAME", "create", "quota", "password", "unlock"),
            Flag("--email", "The user's email address.", "ADDRESS", actions=_CREATE),
            Flag("--superuser", "Grant all rights.", actions=_CREATE),
            Flag("--generate", "Generate a password and show it once.", actions=("create", "password")),
            Flag("--password-stdin", "Read the password from standard input.", actions=("create", "password")),
            Flag("--quota", "The new quota, for example 20GB.", "SIZE", ("--set",), actions=("quota",)),
        ),
    ),
    Script(
        "docker.py",
        "Restart, rebuild or recreate services; show and free disk space.",
        actions={
            "restart": ("services", "restart"),
            "rebuild": ("services", "rebuild"),
            "recreate": ("services", "recreate"),
            "prune": ("services", "prune"),
            "check-disk": ("services", "disk"),
        },
        flags=(
            Flag("--service", "Only this service.", "NAME", actions=_SERVICE),
            Flag("--all", "All services.", actions=_SERVICE),
        ),
    ),
    Script(
        "projects.py",
        "Projects and what is wrong with them; export one.",
        actions={
            "list": ("projects", "list"),
            "status": ("projects", "status"),
            "export": ("projects", "export"),
        },
        flags=(
            _argument("--project", "A project: its id, or OWNER/NAME.", "PROJECT", "status", "export"),
            Flag("--output", "The file to write.", "FILE", actions=("export",)),
        ),
    ),
    Script(
        "sync.py",
        "The queue, recent jobs, and failures with their causes.",
        actions={
            "queue": ("sync", "queue"),
            "recent": ("sync", "recent"),
            "failed": ("sync", "failed"),
        },
        flags=(Flag("--hours", "Hours to look back.", "N", actions=("recent", "failed")),),
    ),
    Script(
        "sync_diagnostic.py",
        "Find out why synchronisation does not complete, and repair it.",
        ("sync", "diagnose"),
        flags=(
            Flag("--fix", "Repair what can be repaired safely; ask about the rest."),
            Flag("--no-proof", "Skip the test with a small project."),
        ),
    ),
    Script(
        "queue_monitor.sh",
        "Measure the queue, record that, and show it over time: for a line of cron.",
        ("metrics", "show"),
        flags=(
            Flag(
                "--csv",
                "Print what was recorded: timestamp,queue,processing,failed …",
                command=("metrics", "export", "--csv"),
            ),
            Flag("--import", "Take over an earlier queue_metrics.log.", "FILE", command=("metrics", "import")),
        ),
    ),
    Script(
        "qfield_rate_limiter.sh",
        "Limit how often projects are synchronised; devices keep what is refused.",
        ("ratelimit", "status"),
        flags=(
            Flag("--status", "Show the limits, and what was refused.", command=("ratelimit", "status")),
            Flag("--enable", "Limit all projects.", command=("ratelimit", "enable")),
            Flag("--disable", "End all limits.", command=("ratelimit", "disable")),
            Flag("--throttle", "Limit one project further.", "PROJECT", command=("ratelimit", "throttle")),
            Flag("--unthrottle", "Take that back.", "PROJECT", command=("ratelimit", "unthrottle")),
            Flag("--rate", "Synchronisations a minute, with --throttle.", "N/min"),
            Flag("--for", "How long, with --throttle.", "SPAN"),
        ),
    ),
    Script(
        "qfield_monitor_daemon.py",
        "Watch the server, repair what is safe, tell people of the rest.",
        ("monitor", "run"),
        flags=(
            Flag("--install", "Start it with the machine.", command=("monitor", "install")),
            Flag("--uninstall", "Start it no more.", command=("monitor", "uninstall")),
            Flag("--status", "What it sees, and what it did.", command=("monitor", "status")),
            Flag("--incidents", "What happened, and how it ended.", command=("monitor", "incidents")),
        ),
    ),
    Script(
        "qfield_cron_jobs.sh",
        "The jobs of maintenance: list them, or let cron start them.",
        ("maintenance", "list"),
        flags=(
            Flag("--install", "Let cron start them.", command=("maintenance", "install", "--cron")),
            Flag("--uninstall", "Remove what starts them.", command=("maintenance", "uninstall")),
            Flag("--history", "Show the last runs.", command=("maintenance", "history")),
        ),
    ),
    Script(
        "SETUP_PREVENTION.sh",
        "Set up monitor, limits, maintenance by schedule and backups at once.",
        ("protect",),
        flags=(
            Flag("--status", "Show what is set up, and what has gone."),
            Flag("--undo", "Take back what was set up."),
            Flag("--backups", "Where backups go: a folder, sftp://…, or a file that names a bucket.", "PLACE"),
            Flag("--no-backups", "Leave backups out."),
            Flag("--without", "Leave a part out: backups, limits, schedule or monitor.", "PART"),
        ),
    ),
    *(
        Script(name, text, ("maintenance", "run", job))
        for name, job, text in (
            ("qfield_quick_check.sh", "quick-check", "Look at the server, and record what was seen."),
            ("qfield_cleanup.sh", "cleanup", "Free what is not needed; never volumes, never what a way back needs."),
            ("qfield_scheduled_restart.sh", "restart-workers", "Restart idle workers, one at a time."),
            ("qfield_daily_maintenance.sh", "daily", "The maintenance of a day: backup, database, stuck jobs, report."),
            ("qfield_stats.sh", "stats", "The use of the server, by day and week."),
        )
    ),
)


def script(name: str) -> Script | None:
    """Return a script by its name, with or without its suffix."""
    return next((one for one in SCRIPTS if name in (one.name, one.name.partition(".")[0])), None)
