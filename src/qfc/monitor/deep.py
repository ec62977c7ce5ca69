"""Deep looks, in a thread of their own: what is quick to see is looked at meanwhile, and repaired."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from threading import Event, Thread

from ..stack.findings import Finding

#: Asks the checks; begins no more of them once the event is set.
Ask = Callable[[Event], tuple[Finding, ...]]


class DeepLook:
    """At most one deep look at a time."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask
        self._thread: Thread | None = None
        self._found: Future[tuple[Finding, ...]] | None = None
        self._abandoned = Event()

    @property
    def is_running(self) -> bool:
        """Whether a deep look is under way, even if nobody wants to know any more what it finds."""
        return self._thread is not None and self._thread.is_alive()

    def begin(self) -> None:
        """Begin a deep look."""
        self._found, self._abandoned = Future(), Event()
        self._thread = Thread(target=_run, args=(self._ask, self._found, self._abandoned), daemon=True)
        self._thread.start()

    def found(self) -> tuple[Finding, ...] | None:
        """Return what a deep look has found, once. Raises what it raised."""
        if self._found is None or not self._found.done():
            return None
        found, self._found = self._found, None
        return found.result()

    def drop(self) -> None:
        """Forget the deep look: while it ran, somebody changed the stack, or it could not be seen."""
        self._abandoned.set()
        self._found = None

    def wait(self) -> None:
        """Wait for the end of a deep look."""
        if self._thread is not None:
            self._thread.join()


def _run(ask: Ask, found: Future[tuple[Finding, ...]], abandoned: Event) -> None:
    try:
        found.set_result(ask(abandoned))
    except BaseException as error:  # noqa: BLE001 - raised again where the result is read
        found.set_exception(error)
