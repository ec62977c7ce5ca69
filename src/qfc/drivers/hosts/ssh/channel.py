"""One session on the server: a local ssh over the open connection, and the launcher at its other end."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from threading import Event

from ...pipes import Pipes
from . import launcher
from .launcher import Ending

_LONGEST_LINE = 1 << 16
#: The message of ssh when the server's MaxSessions is reached.
_REFUSED = "refused by peer"
#: Ends a command on the server, once its process group is known.
_GREETING_S = 1


class Channel(Pipes):
    """A session that waits for its one command. `end_there` ends a process group on the server."""

    def __init__(self, argv: Sequence[str], environment: Mapping[str, str], end_there: Callable[[int], None]) -> None:
        self.greeting = ""
        self._end_there = end_there
        self._group: int | None = None
        self._begun, self._greeted = False, Event()
        super().__init__(argv, environment)

    def begin(self, argv: Sequence[str], environment: Mapping[str, str]) -> None:
        """Start the command; everything written to `stdin` after this is its input."""
        request = launcher.request(argv, environment)
        self._begun = True
        with suppress(BrokenPipeError):
            self.stdin.write(request)
            self.stdin.flush()

    def prepare_reading(self) -> None:
        """Skip the output of the account's start-up files, up to the launcher's first line."""
        try:
            while self._group is None and (line := self.stdout.readline(_LONGEST_LINE)):
                self._group = launcher.process_group(line)
                self.greeting = line.decode(errors="replace")
        finally:
            self._greeted.set()

    @property
    def was_refused(self) -> bool:
        """Whether the server allowed no more sessions: nothing was run."""
        return not self.has_launcher and _REFUSED in self.ending.stderr

    @property
    def has_launcher(self) -> bool:
        """Whether the launcher has answered."""
        return self._group is not None

    @property
    def ending(self) -> Ending:
        """The end of the command, as reported by the launcher."""
        return launcher.ending(self.errors)

    def end_command(self) -> None:
        """End the command on the server, not only the local ssh."""
        if self._begun:
            self._greeted.wait(_GREETING_S)
        if self._group is not None:
            self._end_there(self._group)

    def is_wanted(self) -> bool:
        """Wait for the launcher: the source is not read before it has started."""
        self._greeted.wait()
        return self.has_launcher
