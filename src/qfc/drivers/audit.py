"""The audit log: one JSON object a line in a file of the stack's folder that only its owner reads."""

from __future__ import annotations

import json
from collections import deque
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any

from ..errors import QfcError
from ..stack.model import AuditEntry
from .files import append_line


class FileAuditLog:
    """Keeps what was done to the stack in `folder`."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "audit.jsonl"

    def append(self, entry: AuditEntry) -> None:
        """Write one line, for good."""
        document = {**asdict(entry), "time": entry.time.isoformat()}
        try:
            self._path.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
            append_line(self._path, json.dumps(document, ensure_ascii=False))
        except OSError as error:
            raise QfcError(
                f"The audit log {self._path} cannot be written.", hint="Check free space and rights."
            ) from error

    def entries(self, *, limit: int = 100) -> tuple[AuditEntry, ...]:
        """Return the last entries, the newest first. A line cut off by a power failure is left out."""
        try:
            with self._path.open(encoding="utf-8", errors="replace") as file:
                lines = deque(file, maxlen=limit)
        except FileNotFoundError:
            return ()
        except OSError as error:
            raise QfcError(
                f"The audit log {self._path} cannot be read.", hint="Run qfc as the stack's owner."
            ) from error
        entries = (_entry(line) for line in reversed(lines))
        return tuple(entry for entry in entries if entry is not None)


def _entry(line: str) -> AuditEntry | None:
    try:
        document: dict[str, Any] = json.loads(line)
        document["time"] = datetime.fromisoformat(document["time"])
        return AuditEntry(**document)
    except (ValueError, TypeError, KeyError):
        return None
