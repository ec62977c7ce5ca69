"""The audit log: one JSON object per line, in a file that only its owner reads, here or on the stack's host.

A change has two lines, before and after it.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Iterable
from contextlib import nullcontext, suppress
from dataclasses import asdict
from datetime import datetime
from itertools import islice
from pathlib import Path, PurePosixPath
from typing import Any

from ..errors import CommandError, QfcError
from ..files import append_line
from ..stack.model import BEGUN, AuditEntry, each_once
from ..stack.ports import AuditLog, Machine

#: Lines of a change.
LINES = 2
#: So many files are kept that were set aside.
KEPT = 3


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
        lines = deque[str](maxlen=LINES * limit)
        for path in (self._aside(1), self._path):
            lines.extend(self._lines(path, LINES * limit))
        return _entries(lines, limit)

    def rotate(self, larger_than: int) -> bool:
        try:
            if not self._path.exists() or self._path.stat().st_size <= larger_than:
                return False
            for number in range(KEPT - 1, 0, -1):
                if self._aside(number).exists():
                    self._aside(number).replace(self._aside(number + 1))
            self._path.replace(self._aside(1))
        except OSError as error:
            raise QfcError(f"{self._path} cannot be set aside.", hint="Check its permissions.") from error
        return True

    def _aside(self, number: int) -> Path:
        return self._path.with_name(f"{self._path.name}.{number}")

    def _lines(self, path: Path, limit: int) -> deque[str]:
        try:
            with path.open(encoding="utf-8", errors="replace") as file:
                return deque(file, maxlen=limit)
        except FileNotFoundError:
            return deque()
        except OSError as error:
            raise QfcError(f"The audit log {path} cannot be read.", hint="Run qfc as the stack's owner.") from error


# A line that a power failure cut off is ended first; one `cat` writes a whole line.
_APPEND = """
umask 077
mkdir -p "$1" || exit 1
[ ! -s "$1/audit.jsonl" ] || [ -z "$(tail -c 1 "$1/audit.jsonl")" ] || echo >>"$1/audit.jsonl" || exit 1
cat >>"$1/audit.jsonl" || exit 1
sync "$1/audit.jsonl" 2>/dev/null || sync
"""


_TAIL = """
for file in "$1.1" "$1"; do [ ! -e "$file" ] || tail -n "$2" "$file"; done | tail -n "$2"
"""
# As many are kept as in a folder here.
_ROTATE = """
[ -e "$1" ] && [ "$(wc -c <"$1")" -gt "$2" ] || exit 0
[ ! -e "$1.2" ] || mv "$1.2" "$1.3"
[ ! -e "$1.1" ] || mv "$1.1" "$1.2"
mv "$1" "$1.1" && echo rotated
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
        argv = ["sh", "-c", _TAIL, "sh", str(self._folder / "audit.jsonl"), str(LINES * limit)]
        return _entries(self._machine.run(argv, timeout_s=60).stdout.splitlines(), limit)

    def rotate(self, larger_than: int) -> bool:
        argv = ["sh", "-c", _ROTATE, "sh", str(self._folder / "audit.jsonl"), str(larger_than)]
        return bool(self._machine.run(argv, timeout_s=60).stdout.strip())


def _line(entry: AuditEntry) -> str:
    return json.dumps({**asdict(entry), "time": entry.time.isoformat()}, ensure_ascii=False)


class LoggedAuditLog(AuditLog):
    """An audit log whose lines are also written to a plain file of this machine, for people and their `grep`."""

    def __init__(self, log: AuditLog, path: Path, stack: str) -> None:
        self._log, self._path, self._stack = log, path, stack

    def append(self, entry: AuditEntry) -> None:
        """Write to both. A change that is done does not fail for the file; the line before it tells of that."""
        try:
            self._log.append(entry)
        finally:
            with nullcontext() if entry.result == BEGUN else suppress(QfcError):
                self._note(entry)

    def entries(self, *, limit: int = 100) -> tuple[AuditEntry, ...]:
        return self._log.entries(limit=limit)

    def rotate(self, larger_than: int) -> bool:
        """Rotate both."""
        rotated = self._log.rotate(larger_than)
        try:
            if self._path.exists() and self._path.stat().st_size > larger_than:
                self._path.replace(self._path.with_name(f"{self._path.name}.1"))
        except OSError as error:
            raise QfcError(f"{self._path} cannot be set aside.", hint="Check its permissions.") from error
        return rotated

    def _note(self, entry: AuditEntry) -> None:
        try:
            append_line(self._path, plain_line(entry, self._stack))
        except OSError as error:
            raise QfcError(
                f"The operation log {self._path} cannot be written.", hint="Check file in [audit] of the configuration."
            ) from error


def plain_line(entry: AuditEntry, stack: str) -> str:
    """Return an entry as one line of text."""
    what = " ".join(f"{entry.command} {entry.target}".split())
    how = "begins" if entry.result == BEGUN else f"{' '.join(entry.result.split())} ({entry.seconds:.1f} s)"
    return f"{entry.time:%Y-%m-%d %H:%M:%S} UTC [{stack}] {entry.who}: {what}: {how}"


def _entries(lines: Iterable[str], limit: int) -> tuple[AuditEntry, ...]:
    entries = (_entry(line) for line in reversed(list(lines)))
    return tuple(islice(each_once(entry for entry in entries if entry is not None), limit))


def _entry(line: str) -> AuditEntry | None:
    try:
        document: dict[str, Any] = json.loads(line)
        document["time"] = datetime.fromisoformat(document["time"])
        return AuditEntry(**document)
    except (ValueError, TypeError, KeyError):
        return None
