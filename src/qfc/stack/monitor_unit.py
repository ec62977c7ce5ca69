"""The systemd unit of a monitor. Pure.

What a repair starts belongs to the stack and outlives the monitor: `KillMode=process`. It also inherits the unit's
restrictions, so they are those that neither a container engine's client nor the box of jobs needs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from .unit import argv, quoted

NAME = "qfc-monitor.service"
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
