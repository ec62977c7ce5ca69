"""One session on the server: a local ssh over the open connection, and the launcher at its other end."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from threading import Event

from ...pipes import Pipes
from . import launcher
from .launcher import Ending

_LONGEST_LINE = 1 << 16
#: What ssh says when the server's MaxSessions is reached.
_REFUSED = "refused by peer"
#: A command can be ended on the server once its process group is known.
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
        """Start the command; what is written to `stdin` from now on is its input."""
        request = launcher.request(argv, environment)
        self._begun = True
        with suppress(BrokenPipeError):
            self.stdin.write(request)
            self.stdin.flush()

    def prepare_reading(self) -> None:
        """Read past what the account's start-up files print, up to the launcher's first line."""
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
        """Whether the launcher was heard of."""
        return self._group is not None

    @property
    def ending(self) -> Ending:
        """How the command ended, as the launcher told."""
        return launcher.ending(self.errors)

    def end_command(self) -> None:
        """End the command on the server, not only the ssh that talks with it."""
        if self._begun:
            self._greeted.wait(_GREETING_S)
        if self._group is not None:
            self._end_there(self._group)

    def is_wanted(self) -> bool:
        """Wait for the launcher: until it is there the source stays as it is."""
        self._greeted.wait()
        return self.has_launcher
