"""When a supervised process started and ended. Written inside supervisord, which loads `make_history` as an extension.

One JSON object a line: `{"at", "process", "event", "pid", "planned", "exit_code"}`; `event` is started, ended or
gave_up. `exit_code` is -1 for a process that a signal ended. The history outlives supervisord, which forgets.
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

#: The file is cut in half beyond this size.
MAXIMUM_BYTES = 1024 * 1024


@dataclass(frozen=True)
class Past:
    """What a process did since it was last started on purpose."""

    restarts: int = 0
    exit_code: int | None = None


def read(path: Path) -> dict[str, Past]:
    """Return the past of each process by its name."""
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
    """The extension of supervisord: listens to changes of state and writes them down."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def heard(self, event: Any) -> None:
        """Take note of a change. Runs in supervisord's own loop, so an error must not leave it."""
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


#: What of supervisord's events is kept: the kind, and whether somebody wanted it.
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
