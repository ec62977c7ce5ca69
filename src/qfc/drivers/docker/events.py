"""The engine's own stream of events: somebody hears at once that a container has ended.

It makes looks earlier, and is never needed: while it is gone, who looks anyway looks every few seconds.
"""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Sequence
from contextlib import suppress
from threading import Event, Thread

#: Seconds until the stream is opened again after its end: an engine that restarts needs some.
AGAIN_S = 15.0
#: Ends the command when its input ends, and with it whoever asked, killed or not.
_UNTIL_OUR_END = """
"$@" </dev/null &
exec >/dev/null
cat
kill $! 2>/dev/null
"""


def ends_of_containers(project: str) -> list[str]:
    """Return the command that prints a line for each container of a Compose project that ends, until it is killed."""
    filters = ("type=container", "event=die", f"label=com.docker.compose.project={project}")
    words = [word for one in filters for word in ("--filter", one)]
    return ["docker", "events", *words, "--format", "{{.ID}}"]


class EngineEvents:
    """Calls `wake` for each line of a command, in a thread; starts the command again when it has ended."""

    def __init__(self, argv: Sequence[str], wake: Callable[[], None]) -> None:
        self._argv, self._wake = argv, wake
        self._ended = Event()
        self._process: subprocess.Popen[bytes] | None = None
        Thread(target=self._follow, daemon=True).start()

    def close(self) -> None:
        """End the stream."""
        self._ended.set()
        if self._process is not None:
            _end(self._process)

    def _follow(self) -> None:
        while not self._ended.is_set():
            with suppress(OSError):
                self._hear()
            self._ended.wait(AGAIN_S)

    def _hear(self) -> None:
        argv = ["sh", "-c", _UNTIL_OUR_END, "sh", *self._argv]
        pipe = subprocess.PIPE
        with subprocess.Popen(argv, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL) as process:
            self._process = process
            if self._ended.is_set():
                _end(process)
            assert process.stdout is not None
            for _ in process.stdout:
                self._wake()
            _end(process)


def _end(process: subprocess.Popen[bytes]) -> None:
    assert process.stdin is not None
    with suppress(OSError):
        process.stdin.close()
