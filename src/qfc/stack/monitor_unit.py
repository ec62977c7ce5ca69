"""The systemd unit of a monitor. Pure.

What a repair starts belongs to the stack and outlives the monitor: `KillMode=process`. It also inherits the unit's
restrictions, so they are those that neither a container engine's client nor the box of jobs needs.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from .cron import escaped, shell, word
from .unit import argv, quoted

NAME = "qfc-monitor.service"
#: The name of its block in cron, and of its files in the home: the lock of the one that runs, and its process.
CRON, LOCK, PID = "qfc-monitor", "monitor.flock", "monitor.pid"
#: cron looks every minute; `flock` keeps it from starting a second one.
EVERY_MINUTE = "* * * * *"
#: systemd starts a monitor again that has not said for so long that it is alive; a repair may take minutes.
WATCHDOG_S = 900
HARDENING = (
    "NoNewPrivileges=yes",
    "ProtectSystem=full",
    "ProtectClock=yes",
    "ProtectHostname=yes",
    "ProtectKernelModules=yes",
    "KeyringMode=private",
    "RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK",
    "LockPersonality=yes",
    "RestrictRealtime=yes",
    "RestrictSUIDSGID=yes",
    "SystemCallArchitectures=native",
    "UMask=0077",
)


@dataclass(frozen=True)
class MonitorPlan:
    """What the unit is about: how to call qfc, for which stacks, the account for a unit of the system."""

    program: Sequence[str]
    stacks: tuple[str, ...] = ()
    account: str | None = None
    is_system: bool = False
    environment: Mapping[str, str] = field(default_factory=dict[str, str])


def monitor_line(plan: MonitorPlan, account: str = "") -> str:
    """Return the line of cron that keeps a monitor running; one of the system's table names the account."""
    home = plan.environment["QFC_HOME"]
    run = shell([*plan.program, "monitor", "run", *plan.stacks], {})
    noted = f"echo $$ >{word(f'{home}/{PID}')}; exec {run}"
    command = shell(["flock", "-n", "-o", f"{home}/{LOCK}", "sh", "-c", noted], plan.environment)
    return " ".join(filter(None, (EVERY_MINUTE, account, escaped(command), ">/dev/null 2>&1"))) + "\n"


def watched(text: str) -> tuple[str, ...] | None:
    """Return the stacks that a unit or a line of cron names; () for all that are configured, None if there is none."""
    found = _RUN.search(text)
    return tuple(found[1].split()) if found else None


def is_about(text: str, plan: MonitorPlan) -> bool:
    """Return whether a unit or a line is about the same configuration."""
    setting = f"QFC_CONFIG={plan.environment['QFC_CONFIG']}"
    return quoted(setting) in text or escaped(shell([], {"QFC_CONFIG": setting.partition("=")[2]})) in text


_RUN = re.compile(r"monitor run((?: [\w.-]+)*)")


def monitor_unit(plan: MonitorPlan) -> str:
    """Return the content of the unit's file."""
    account = [f"User={plan.account}"] if plan.is_system and plan.account else []
    lines = [
        "# Written by `qfc monitor install`, which writes it again.",
        "[Unit]",
        "Description=Monitor of QFieldCloud servers (qfc)",
        *(["Wants=network-online.target", "After=network-online.target"] if plan.is_system else []),
        "",
        "[Service]",
        "Type=notify",
        "NotifyAccess=main",
        *account,
        *(f"Environment={quoted(f'{name}={value}')}" for name, value in plan.environment.items()),
        f"ExecStart={argv([*plan.program, 'monitor', 'run', *plan.stacks])}",
        "Restart=always",
        "RestartSec=10",
        f"WatchdogSec={WATCHDOG_S}",
        "KillMode=process",
        "TimeoutStopSec=300",
        "Nice=5",
        *HARDENING,
        "",
        "[Install]",
        f"WantedBy={'multi-user.target' if plan.is_system else 'default.target'}",
    ]
    return "\n".join(lines) + "\n"
