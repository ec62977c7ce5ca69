"""What a command does to a stack. A command that is not named here counts as a change that may destroy something."""

from __future__ import annotations

from dataclasses import dataclass, field

#: Commands that only look. `db verify` notes what it saw of a set.
LOOKS = frozenset(
    {
        "audit", "capacity advise", "capacity report", "capacity simulate", "certs status", "db list", "db status",
        "db verify", "deltas list", "deltas show", "deploy history", "doctor", "health", "image status",
        "jobs list", "jobs show", "lab list", "logs", "maintenance history",
        "maintenance list", "metrics export", "metrics show", "notice",
        "projects list", "projects status",
        "ratelimit status",
        "service status", "services disk", "stacks", "stacks list", "status", "sync diagnose", "sync failed",
        "sync queue", "sync recent", "transfer verify", "tunnel status", "users list", "users plans",
        "users quota", "workers list",
    }
)  # fmt: skip
#: Options, and arguments, with which a command that otherwise looks changes something.
CHANGING = {
    "doctor": frozenset({"fix"}),
    "sync diagnose": frozenset({"fix"}),
    "users quota": frozenset({"size", "plan"}),
    "notice": frozenset({"text", "clear"}),
}
#: Flags that keep a look from changing anything: the proof uploads a project of its own.
STILL = {"doctor": ("--no-proof",), "sync diagnose": ("--no-proof",)}
#: Changes that take nothing away.
ADDS = frozenset(
    {
        "db backup", "db keys", "deltas reapply", "image save", "init", "jobs retry", "notice",
        "projects export", "projects import", "ratelimit disable", "ratelimit unthrottle", "service install", "up",
        "users create", "users quota", "users unlock", "workers scale",
    }
)  # fmt: skip
#: Changes that have no further effect when they are made again.
REPEATABLE = frozenset(
    {"db keys", "db migrate", "doctor", "down", "maintenance install", "notice", "protect", "ratelimit disable",
     "ratelimit enable", "ratelimit throttle", "service install", "service uninstall", "sync diagnose", "up",
     "users disable", "users quota", "users unlock", "workers scale"}
)  # fmt: skip
#: Commands that need a terminal, or do not end, or are not about a stack.
LEFT_OUT = frozenset(
    {
        "completion",
        "db shell",
        "demo",
        "mcp",
        "metrics import",
        "metrics serve",
        "skill install",
        "skill path",
        "skill run",
    }
)
#: Parameters that need a terminal or standard input, or never end; files of `--report`; the key of backups.
WITHOUT = frozenset({"follow", "from_stdin", "generate"})
WITHOUT_OF = {
    "capacity benchmark": frozenset({"yes_really"}),
    "doctor": frozenset({"path"}),
    "capacity report": frozenset({"path"}),
    "db keys": frozenset({"show", "output", "adopt"}),
    "transfer run": frozenset({"report"}),
    "transfer import": frozenset({"report"}),
}
#: Flags that commands always get, because nobody can be asked.
ALWAYS = {"users create": ("--generate",), "users password": ("--generate",)}


@dataclass(frozen=True)
class Effect:
    """What a command does. `changing` names the parameters that make a change of a look."""

    looks: bool
    destroys: bool
    is_repeatable: bool
    changing: frozenset[str] = field(default_factory=frozenset[str])


def effect_of(path: str) -> Effect:
    """Return what the command `path` (as it is typed, without `qfc`) does."""
    changing = CHANGING.get(path, frozenset[str]())
    return Effect(path in LOOKS, path not in ADDS, path in REPEATABLE, changing)
