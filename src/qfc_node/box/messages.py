"""What the worker and the server of its jobs say to each other: small messages, with open files beside them.

They contain nothing of a project. What a job reads goes to its process alone, as an open file.
"""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from .limits import Limits

_LARGEST = 64 * 1024
_MOST_FILES = 2


@dataclass(frozen=True)
class Ready:
    """The server can start jobs: its layers, and the account that the folder of a job must belong to."""

    layers: tuple[dict[str, str], ...]
    account: int | None


@dataclass(frozen=True)
class Broken:
    """The server cannot start jobs."""

    reason: str


@dataclass(frozen=True)
class Run:
    """Start a job in this folder. Beside it: the job's input, and where its process writes errors."""

    folder: str
    limits: Limits


@dataclass(frozen=True)
class Started:
    """The job's process has started. Beside it: its pidfd."""

    pid: int


@dataclass(frozen=True)
class Ended:
    """The job's process has ended: its exit code, or the negative number of the signal that killed it."""

    exit_code: int


Message = Ready | Broken | Run | Started | Ended
_KINDS = {kind.__name__: kind for kind in (Ready, Broken, Run, Started, Ended)}


class ConversationOverError(Exception):
    """The other side has ended."""


class Line:
    """One end of the conversation."""

    def __init__(self, end: socket.socket) -> None:
        self._socket = end

    def fileno(self) -> int:
        """Return the descriptor, which is readable when a message has arrived or the other side has ended."""
        return self._socket.fileno()

    def send(self, message: Message, files: Sequence[int] = ()) -> None:
        """Send a message with open files. Raises ConversationOverError."""
        content = json.dumps({"kind": type(message).__name__, **asdict(message)}).encode()
        try:
            socket.send_fds(self._socket, [content], files)
        except OSError as error:
            raise ConversationOverError from error

    def receive(self) -> tuple[Message, list[int]]:
        """Wait for a message and the open files beside it. Raises ConversationOverError."""
        try:
            content, files, _, _ = socket.recv_fds(self._socket, _LARGEST, _MOST_FILES)
        except OSError as error:
            raise ConversationOverError from error
        if not content:
            raise ConversationOverError
        for file in files:
            os.set_inheritable(file, False)
        return _parsed(json.loads(content)), files

    def close(self) -> None:
        """End the conversation."""
        self._socket.close()


def _parsed(values: dict[str, Any]) -> Message:
    kind = _KINDS[values.pop("kind")]
    if kind is Run:
        values["limits"] = Limits(**values["limits"])
    if kind is Ready:
        values["layers"] = tuple(values["layers"])
    message: Message = kind(**values)
    return message
