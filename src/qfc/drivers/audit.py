"""The audit log: one JSON object per line, in a file that only its owner reads, here or on the stack's host."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Iterable
from dataclasses import asdict
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import Any

from ..errors import CommandError, QfcError
from ..files import append_line
from ..stack.model import AuditEntry
from ..stack.ports import AuditLog, Machine


class FileAuditLog(AuditLog):
    """The audit log of the stack in `folder`."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "audit.jsonl"

    def append(self, entry: AuditEntry) -> None:
        try:
            self._path.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
            append_line(self._path, _line(entry))
        except OSError as error:
            raise QfcError(
                f"The audit log {self._path} cannot be written.", hint="Check free space and permissions."
            ) from error

    def entries(self, *, limit: int = 100) -> tuple[AuditEntry, ...]:
        """Return the last entries, the newest first. A line that a power failure cut off is left out."""
        try:
            with self._path.open(encoding="utf-8", errors="replace") as file:
                lines = deque(file, maxlen=limit)
        except FileNotFoundError:
            return ()
        except OSError as error:
            raise QfcError(
                f"The audit log {self._path} cannot be read.", hint="Run qfc as the stack's owner."
            ) from error
        return _entries(lines)


# A line that a power failure cut off is ended first; one `cat` writes a whole line.
_APPEND = """
umask 077
mkdir -p "$1" || exit 1
[ ! -s "$1/audit.jsonl" ] || [ -z "$(tail -c 1 "$1/audit.jsonl")" ] || echo >>"$1/audit.jsonl" || exit 1
cat >>"$1/audit.jsonl" || exit 1
sync "$1/audit.jsonl" 2>/dev/null || sync
"""


class HostAuditLog(AuditLog):
    """The audit log of a deployment, next to it on its host, for all operators."""

    def __init__(self, machine: Machine, folder: PurePosixPath) -> None:
        self._machine, self._folder = machine, folder

    def append(self, entry: AuditEntry) -> None:
        argv = ["sh", "-c", _APPEND, "sh", str(self._folder)]
        try:
            self._machine.run(argv, stdin=f"{_line(entry)}\n".encode())
        except CommandError as error:
            raise QfcError(
                f"The audit log in {self._folder} on {self._machine.name} cannot be written.",
                hint="Check free space and permissions there.",
            ) from error

    def entries(self, *, limit: int = 100) -> tuple[AuditEntry, ...]:
        argv = ["sh", "-c", '[ ! -e "$1" ] || tail -n "$2" "$1"', "sh", str(self._folder / "audit.jsonl"), str(limit)]
        return _entries(self._machine.run(argv, timeout_s=60).stdout.splitlines())


def _line(entry: AuditEntry) -> str:
    return json.dumps({**asdict(entry), "time": entry.time.isoformat()}, ensure_ascii=False)


def _entries(lines: Iterable[str]) -> tuple[AuditEntry, ...]:
    entries = (_entry(line) for line in reversed(list(lines)))
    return tuple(entry for entry in entries if entry is not None)


def _entry(line: str) -> AuditEntry | None:
    try:
        document: dict[str, Any] = json.loads(line)
        document["time"] = datetime.fromisoformat(document["time"])
        return AuditEntry(**document)
    except (ValueError, TypeError, KeyError):
        return None
