"""How far long work has come: a bar on a terminal, one line per phase elsewhere."""

from __future__ import annotations

import os
import shutil
from typing import TextIO

from .catalog import addressed

#: Moves to the start of the line and empties it.
EMPTY = "\r\033[K"
BAR = 24


class ProgressLine:
    """Writes to standard error, nothing if `quiet`. Commands in sentences name the `stack` that the operator named."""

    def __init__(self, err: TextIO, *, quiet: bool, stack: str | None = None) -> None:
        self._err, self._quiet, self._stack = err, quiet, stack
        self._phase, self._is_drawn = "", False
        self._is_terminal = err.isatty() and os.environ.get("TERM") not in ("dumb", "unknown")

    def __call__(self, what: str, done: int, total: int) -> None:
        """Show that `done` of `total` parts are done."""
        if self._quiet or total < 1:
            return
        if self._is_terminal:
            self._draw(what, done, total)
        elif what != self._phase and done < total:
            print(f"… {what}", file=self._err, flush=True)
        self._phase = what

    def step(self, sentence: str) -> None:
        """Write the line of a step."""
        if not self._quiet:
            self.clear()
            print(f"… {addressed(sentence, self._stack)}", file=self._err, flush=True)
        self._phase = sentence

    def clear(self) -> None:
        """Remove the bar: something else is written now."""
        if self._is_drawn:
            print(EMPTY, end="", file=self._err, flush=True)
        self._is_drawn = False

    def _draw(self, what: str, done: int, total: int) -> None:
        if done >= total:
            self.clear()
            return
        filled = BAR * done // total
        line = f"{'█' * filled}{'░' * (BAR - filled)} {done}/{total}  {what}"
        print(f"{EMPTY}{line[: shutil.get_terminal_size().columns - 1]}", end="", file=self._err, flush=True)
        self._is_drawn = True
