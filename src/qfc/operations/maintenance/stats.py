"""The report of a stack's usage, kept beside the stack as Markdown, HTML and JSON."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from ...stack.maintenance import Period, Usage, as_html, as_markdown
from ...stack.ports import Ports
from ..sync_recent import success_rate

FOLDER, STATS = "reports", "stats"
#: So many reports are kept, each in three files.
MOST_REPORTS = 60
PERIODS = (("the day", 24.0), ("the week", 168.0))
RECENTLY = timedelta(days=7)


def usage_of(ports: Ports) -> Usage:
    """Measure the usage of a stack, and compare it with the last report."""
    now = ports.clock.now()
    users = [one for one in ports.directory.users() if one.type == "person"]
    active = [one for one in users if one.last_login and now - one.last_login <= RECENTLY]
    projects, stored = len(ports.directory.projects()), ports.directory.stored_bytes()
    last = _last(ports)
    return Usage(
        stack=ports.name,
        at=now,
        periods=tuple(_period(ports, name, hours, now) for name, hours in PERIODS),
        projects=projects,
        people=len(users),
        active_people=len(active),
        stored_bytes=stored,
        database_bytes=ports.directory.database().size_bytes,
        since=datetime.fromisoformat(last["at"]) if last else None,
        stored_growth_bytes=stored - int(last["stored_bytes"]) if last else None,
        new_projects=projects - int(last["projects"]) if last else None,
    )


def write_report(ports: Ports) -> str:
    """Write the report; return the path of the one in Markdown, on the stack's host."""
    usage = usage_of(ports)
    name = f"{STATS}-{usage.at:%Y%m%d-%H%M%S}"
    ports.records.write_text(f"{FOLDER}/{name}.md", as_markdown(usage))
    ports.records.write_text(f"{FOLDER}/{name}.html", as_html(usage))
    ports.records.write(f"{FOLDER}/{name}.json", {**asdict(usage), **_times(usage)})
    remove_old(ports, STATS, files=3)
    return str(ports.records.folder(FOLDER) / f"{name}.md")


def _period(ports: Ports, name: str, hours: float, now: datetime) -> Period:
    ended = ports.jobs.statistics(since=now - timedelta(hours=hours))
    return Period(
        name, hours, ended.finished, ended.failed, success_rate(ended), ended.run.p50, ended.run.p95, ended.wait.p95
    )


def _times(usage: Usage) -> dict[str, str | None]:
    return {"at": usage.at.isoformat(), "since": usage.since and usage.since.isoformat()}


def _last(ports: Ports) -> dict[str, Any] | None:
    """Return the last report; None without one that can be read."""
    names = [name for name in ports.records.names(FOLDER) if name.endswith(".json")]
    if not names:
        return None
    with suppress(ValueError):
        document: dict[str, Any] = json.loads(ports.records.read_text(f"{FOLDER}/{names[-1]}") or "null") or {}
        if {"at", "stored_bytes", "projects"} <= document.keys():
            return document
    return None


def remove_old(ports: Ports, kind: str, *, files: int) -> None:
    """Remove the oldest reports of a kind, of which each has so many files."""
    names = [name for name in ports.records.names(FOLDER) if name.startswith(f"{kind}-")]
    for name in names[: -files * MOST_REPORTS]:
        ports.records.remove(f"{FOLDER}/{name}")


def last_text(ports: Ports) -> str:
    """Return the last report of usage as Markdown."""
    names = [name for name in ports.records.names(FOLDER) if name.startswith(f"{STATS}-") and name.endswith(".md")]
    return (ports.records.read_text(f"{FOLDER}/{names[-1]}") if names else None) or ""
