"""The systemd unit of a stack. Pure.

systemd watches the stack's supervisor by its pid file. If the supervisor dies, `qfc up` ends what it left behind and
starts everything again: `KillMode=process` leaves that to `qfc up`, which gives workers and database time to end.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePath

#: Workers finish their jobs first; a job may take ten minutes.
STOP_S, WAIT_S = 1000, 120
#: `qfc up` ends by itself. A migration of a large database takes as long as it takes: whoever cuts it off and starts
#: again begins it again, for ever.
START = "infinity"


@dataclass(frozen=True)
class UnitPlan:
    """What a unit is about: the stack, how to call qfc, the account for a unit of the system."""

    stack: str
    program: Sequence[str]
    pid_file: PurePath
    account: str | None = None
    is_system: bool = False
    environment: Mapping[str, str] = field(default_factory=dict[str, str])

    @property
    def name(self) -> str:
        """The name of the unit."""
        return f"qfc-{self.stack}.service"


def unit_text(plan: UnitPlan) -> str:
    """Return the content of the unit's file."""
    command = [*plan.program, "--stack", plan.stack, "--wait", str(WAIT_S)]
    account = [f"User={plan.account}"] if plan.is_system and plan.account else []
    lines = [
        "# Written by `qfc service install`, which writes it again.",
        "[Unit]",
        f"Description=QFieldCloud-compatible server (qfc stack {plan.stack})",
        *(["Wants=network-online.target", "After=network-online.target"] if plan.is_system else []),
        "",
        "[Service]",
        "Type=forking",
        *account,
        *(f"Environment={quoted(f'{name}={value}')}" for name, value in plan.environment.items()),
        f"PIDFile={specified(str(plan.pid_file))}",
        f"ExecStart={argv([*command, 'up'])}",
        f"ExecStop={argv([*command, 'down'])}",
        "Restart=on-failure",
        "RestartSec=2",
        "KillMode=process",
        f"TimeoutStartSec={START}",
        f"TimeoutStopSec={STOP_S}",
        "",
        "[Install]",
        f"WantedBy={'multi-user.target' if plan.is_system else 'default.target'}",
    ]
    return "\n".join(lines) + "\n"


def argv(words: Sequence[str]) -> str:
    """Return a command as systemd reads it."""
    return " ".join(quoted(word) for word in words)


def quoted(word: str) -> str:
    """Return one word as systemd reads it; quoted where it has to be."""
    escaped = specified(word).replace("\\", "\\\\").replace('"', '\\"').replace("$", "$$")
    return f'"{escaped}"' if escaped != word or any(one.isspace() or one == "'" for one in word) else word


def specified(text: str) -> str:
    """Return a text without anything that systemd would replace."""
    return text.replace("%", "%%")
