"""Work on files in a thread, so that the worker meanwhile keeps its lease and hears signals."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from typing import Generic, TypeVar

Result = TypeVar("Result")
#: Seconds to wait for a thread that nobody needs any more; a store that hangs must not stop the worker.
PATIENCE_S = 5.0


class Cancelled(Exception):  # noqa: N818  (no error: somebody asked for it)
    """The worker does not want the result any more."""


class Background(Generic[Result]):
    """A function that runs in a thread. `descriptor` becomes readable at its end.

    The function gets one to call now and then, which raises Cancelled when nobody waits any more.
    """

    def __init__(self, work: Callable[[Callable[[], None]], Result]) -> None:
        self._work = work
        self._result: list[Result] = []
        self._error: BaseException | None = None
        self._is_cancelled = threading.Event()
        self.descriptor = os.eventfd(0, os.EFD_CLOEXEC)
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def ended(self) -> bool:
        """Whether it has ended."""
        return not self._thread.is_alive() or bool(self._result) or self._error is not None

    def result(self) -> Result:
        """Wait for the end; return the result, or raise the error."""
        self._thread.join()
        if self._error is not None:
            raise self._error
        return self._result[0]

    def close(self) -> None:
        """Let it end early: nothing should work in a folder that is about to be removed."""
        self._is_cancelled.set()
        self._thread.join(PATIENCE_S)
        if not self._thread.is_alive():
            os.close(self.descriptor)

    def _run(self) -> None:
        try:
            self._result.append(self._work(self._check))
        except BaseException as error:  # noqa: BLE001  (raised where the result is used)
            self._error = error
        os.eventfd_write(self.descriptor, 1)

    def _check(self) -> None:
        if self._is_cancelled.is_set():
            raise Cancelled
