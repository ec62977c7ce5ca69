"""A diagnosis as a file that can be shared: the findings and the state of the server, without identifying data."""

from __future__ import annotations

import os
import platform
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

from .. import __version__
from ..errors import QfcError, UsageError
from ..stack.box import of_box
from ..stack.model import Capability
from ..stack.ports import Ports
from ..stack.redaction import HIDDEN, Redactor, hosts_of, is_shareable, secrets_of
from .sync_diagnose import Diagnosis
from .sync_recent import sync_failed

#: At most so many log lines with problems, from the last hours.
LINES, BACK = 60, timedelta(hours=6)
TROUBLE = ("ERROR", "CRITICAL", "FATAL", "PANIC", "EMERG", "ALERT")
WIDTH = 500


def write_report(ports: Ports, diagnosis: Diagnosis, path: Path) -> Path:
    """Write the report, readable only by its owner; return its path. Raises UsageError when the file exists."""
    text = report(ports, diagnosis)
    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError as error:
        raise UsageError(f"{path} already exists.", hint="Name another file.") from error
    except OSError as error:
        raise QfcError(
            f"{path} cannot be written: {error.strerror}.", hint="Check free space and permissions."
        ) from error
    return path.absolute()


def report(ports: Ports, diagnosis: Diagnosis) -> str:
    """Return the report as Markdown. A part that cannot be read says so."""
    redacted = redactor(ports)
    parts: dict[str, Callable[[], Iterable[str]]] = {
        "Environment": lambda: _environment(ports),
        "Findings": lambda: _findings(diagnosis),
        "Services": lambda: _services(ports),
        "Queue": lambda: _queue(ports),
        "Failed jobs of the last day": lambda: _failed(ports, redacted),
        "Settings": lambda: _settings(ports),
        "Trouble in the logs": lambda: _logs(ports, redacted),
    }
    made = (
        f"Written by qfc {__version__} at {ports.clock.now():%Y-%m-%d %H:%M} UTC, without secrets, names and addresses."
    )
    sections = [f"## {title}\n\n{_section(part)}" for title, part in parts.items()]
    return redacted("\n\n".join(["# Report of a diagnosis", made, *sections])) + "\n"


def redactor(ports: Ports) -> Redactor:
    """Return the redactor that removes secrets and names of this stack."""
    secrets, hosts = _of_settings(ports)
    people: list[str] = []
    projects: list[str] = []
    # Without the database, no names come out of it either.
    with suppress(QfcError):
        people = [user.username for user in ports.directory.users()]
        projects = [project.name for project in ports.directory.projects()]
    address = urlsplit(ports.api.url).hostname or ""
    names = {"person": people, "project": projects, "host": [host for host in (address, *hosts) if "." in host]}
    return Redactor(secrets, names)


def _of_settings(ports: Ports) -> tuple[list[str], list[str]]:
    """Return the secret values of settings, and the host names in them."""
    if not ports.offers(Capability.CONTAINERS):
        return [], []
    values = ports.deployment.settings.values()
    return secrets_of(values), hosts_of(values)


def _section(part: Callable[[], Iterable[str]]) -> str:
    try:
        lines = "\n".join(part())
    except QfcError as error:
        return f"Could not be read: {error.message}"
    return lines or "None."


def _environment(ports: Ports) -> list[str]:
    lines = [f"- kind: {ports.kind}", f"- Python {platform.python_version()}, {platform.system()} {platform.machine()}"]
    database = ports.directory.database()
    lines.append(f"- PostgreSQL {database.version}, {database.connections} of {database.max_connections} connections")
    applied = ports.directory.applied_migrations()
    lines.append(f"- {len(applied)} migrations, the last is {applied[-1] if applied else 'none'}")
    box = of_box(ports.workload.workers())
    lines += [f"- box of jobs: {box.evidence}"] if box else []
    disk = ports.runtime.disk()
    return [*lines, f"- disk: {disk.free_bytes / 1e9:.1f} of {disk.total_bytes / 1e9:.1f} GB free"]


def _findings(diagnosis: Diagnosis) -> list[str]:
    found = [f"- **{one.id}** {one.title} ({one.severity}, {one.result}): {one.evidence}" for one in diagnosis.findings]
    return [f"{len(diagnosis.checked)} checks, {len(found)} findings.", "", *found]


def _services(ports: Ports) -> list[str]:
    rows = [
        f"| {one.name} | {one.state} | {one.health} | {one.running}/{one.wanted} | {_images(one.instances)} |"
        for one in ports.runtime.services()
    ]
    return ["| service | state | health | running | image |", "|---|---|---|---|---|", *rows]


def _images(instances: Sequence[object]) -> str:
    found = {str(image) for one in instances if (image := getattr(one, "image", None))}
    return ", ".join(sorted(found)) or "–"


def _queue(ports: Ports) -> list[str]:
    depth = ports.workload.depth()
    return [
        f"{depth.pending} pending, {depth.queued} queued, {depth.started} started; "
        f"the oldest has waited {depth.oldest_pending_s:.0f} s."
    ]


def _failed(ports: Ports, redacted: Redactor) -> list[str]:
    groups = sync_failed(ports).groups
    return [f"- {one.count} × {one.signature} ({one.cause}): {redacted(one.error)[:WIDTH]}" for one in groups]


def _settings(ports: Ports) -> list[str]:
    if not ports.offers(Capability.CONTAINERS):
        return []
    values = ports.deployment.settings.values()
    lines = [f"{name}={value if is_shareable(name) else HIDDEN if value else ''}" for name, value in values.items()]
    return ["```", *lines, "```"]


def _logs(ports: Ports, redacted: Redactor) -> list[str]:
    since = ports.clock.now() - BACK
    found = [line for line in ports.runtime.logs(None, lines=2000, since=since, follow=False) if line.level in TROUBLE]
    texts = redacted("\n".join(f"{line.service}: {line.text}" for line in found[-LINES:]))
    lines = [text[:WIDTH] for text in texts.splitlines()]
    return ["```", *lines, "```"] if lines else []
