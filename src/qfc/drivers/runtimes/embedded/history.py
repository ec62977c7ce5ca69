"""The starts and ends of supervised processes. Written inside supervisord, which loads `make_history` as an extension.

One JSON object per line: `{"at", "process", "event", "pid", "planned", "exit_code"}`; `event` is started, ended or
gave_up. `exit_code` is -1 for a process that a signal ended. The history outlives supervisord, which keeps none.
"""

from __future__ import annotations

import importlib
import json
import os
import time
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ....files import replace_file

#: Beyond this size the older half of the file is dropped.
MAXIMUM_BYTES = 1024 * 1024


@dataclass(frozen=True)
class Past:
    """The record of a process since its last intended start."""

    restarts: int = 0
    exit_code: int | None = None


def read(path: Path) -> dict[str, Past]:
    """Return the record of each process by its name."""
    pasts: dict[str, Past] = defaultdict(Past)
    for event in _events(path):
        name, past = str(event["process"]), pasts[str(event["process"])]
        if event["event"] == "ended":
            pasts[name] = Past(0 if event["planned"] else past.restarts + 1, event["exit_code"])
    return dict(pasts)


def _events(path: Path) -> Iterable[dict[str, Any]]:
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return
    for line in lines:
        try:
            event: dict[str, Any] = json.loads(line)
        except ValueError:
            continue
        if {"process", "event", "planned", "exit_code"} <= event.keys():
            yield event


class History:
    """The extension of supervisord: listens to changes of state and records them."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def heard(self, event: Any) -> None:
        """Record a change. This runs in supervisord's own loop, so it must not raise."""
        name = type(event).__name__.removeprefix("ProcessState").removesuffix("Event")
        if name not in EVENTS:
            return
        kind, planned = EVENTS[name]
        process = event.process
        code = getattr(process, "exitstatus", None) if kind != "started" else None
        document = {
            "at": round(time.time(), 3),
            "process": str(process.config.name),
            "event": kind,
            "pid": process.pid or None,
            "planned": planned,
            "exit_code": code,
        }
        try:
            append(self._path, json.dumps(document))
        except OSError:
            return


#: The recorded events of supervisord: the kind, and whether it was intended.
EVENTS = {
    "Running": ("started", True),
    "Exited": ("ended", False),
    "Backoff": ("ended", False),
    "Stopped": ("ended", True),
    "Fatal": ("gave_up", False),
}


def append(path: Path, line: str) -> None:
    if path.exists() and path.stat().st_size > MAXIMUM_BYTES:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines(keepends=True)
        replace_file(path, "".join(lines[len(lines) // 2 :]).encode(), mode=0o600)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "w", encoding="utf-8") as file:
        file.write(line + "\n")


def make_history(_supervisord: Any, path: str = "", **_: Any) -> History:
    """Return the extension; called by supervisord with the values of its section."""
    events: Any = importlib.import_module("supervisor.events")
    history = History(Path(path))
    events.subscribe(events.ProcessStateEvent, history.heard)
    return history
