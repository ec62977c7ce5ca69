"""The commands of `qfc`, their order on the help page, and the sentences that name one."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, cast

#: Every command by the module that holds it (`qfc.cli.<name>.command`), in the order and the groups of the help page.
COMMANDS: dict[str, dict[str, str]] = {
    "Start and stop": {
        "demo": "Run the whole workflow on a stack of its own: devices, edits, a killed worker.",
        "init": "Write the configuration of a stack.",
        "up": "Start a stack, or the services that are down.",
        "down": "Stop a stack; workers finish their jobs first.",
        "stacks": "List the configured stacks; remove one.",
        "service": "Start a stack with the machine, by systemd.",
    },
    "Inspect": {
        "status": "Show services, health, CPU, memory, queue and disk at a glance.",
        "health": "Probe a stack the way its clients reach it.",
        "doctor": "Check for every known problem: synchronisation, .env, release, certificate, accounts.",
        "logs": "Print the logs of all services in chronological order.",
        "audit": "Show what was done to the stack, by whom, and with what result.",
    },
    "Watch": {
        "protect": "Set up monitor, limits, schedule and backups by one command; take them back.",
        "monitor": "Watch stacks around the clock: repair what is safe, tell people of the rest.",
        "alerts": "List open alerts; acknowledge and silence them.",
    },
    "Users and projects": {
        "users": "List and create users; set passwords and quotas.",
        "notice": "Tell all users of an incident or a planned maintenance.",
        "projects": "List projects and their problems; export and import projects.",
    },
    "Synchronisation": {
        "sync": "Show the queue, recent jobs and failures; diagnose synchronisation.",
        "jobs": "List, retry and cancel jobs; free stuck ones.",
        "deltas": "List field edits; apply those that were not applied.",
        "workers": "List workers; change their number, drain or restart them.",
        "ratelimit": "Limit how often projects are synchronised.",
        "metrics": "Show queue, failures and durations, now and over time; export them.",
        "capacity": "Predict how long jobs wait with other numbers of workers.",
    },
    "Services": {
        "deploy": "Deploy another release, with rollback.",
        "image": "Check, save, load and rebuild the QGIS images of a deployment.",
        "certs": "Check and renew the TLS certificate that clients see.",
        "tunnel": "Check the Cloudflare tunnel in front of a deployment.",
        "maintenance": "Run jobs by schedule: checks, cleanup, backups, reports.",
        "upgrade": "Upgrade an embedded stack to the installed release, with rollback.",
        "services": "Restart, recreate or rebuild services; show and free disk space.",
        "db": "Inspect, back up, restore and migrate the database; open psql.",
        "transfer": "Move a whole server to another host, with a short interruption and rollback.",
    },
    "Training": {
        "lab": "Break a lab stack on purpose, then repair it.",
    },
    "Command line": {
        "completion": "Print the completion script for a shell.",
        "mcp": "Offer all commands as tools for an AI agent.",
        "skill": "Install the skill for AI agents and its scripts.",
    },
}

#: Commands that are about no single stack.
WITHOUT_STACK = frozenset({"completion", "demo", "init", "mcp", "skill", "stacks"})
#: Keys of JSON answers whose sentences say what to type.
SENTENCES = frozenset(
    {"detail", "evidence", "fix", "hint", "message", "reason", "reasons", "remarks", "warnings", "why"}
)


def command_names() -> list[str]:
    """Return the names of all commands in the order of the help page."""
    return [name for group in COMMANDS.values() for name in group]


def addressed(text: str, stack: str | None) -> str:
    """Return a sentence whose commands name the stack, as the operator did: `qfc up` → `qfc --stack NAME up`."""
    return _COMMAND.sub(f"qfc --stack {stack} ", text) if stack else text


def addressed_document(document: Any, stack: str | None) -> Any:
    """Return what is printed as JSON with the stack in the commands of its sentences."""
    if not stack:
        return document
    if isinstance(document, list):
        return [addressed_document(one, stack) for one in cast("list[Any]", document)]
    if not isinstance(document, dict):
        return document
    items = cast("Mapping[str, Any]", document).items()
    return {
        name: _sentences(one, stack) if name in SENTENCES else addressed_document(one, stack) for name, one in items
    }


def _sentences(value: Any, stack: str) -> Any:
    if isinstance(value, str):
        return addressed(value, stack)
    if isinstance(value, list) and all(isinstance(one, str) for one in cast("list[Any]", value)):
        return [addressed(one, stack) for one in cast("list[str]", value)]
    return addressed_document(value, stack)


_COMMAND = re.compile(rf"\bqfc (?=(?:{'|'.join(sorted({*command_names()} - WITHOUT_STACK))})\b)")
