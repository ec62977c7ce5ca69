"""Who may send a large body: whoever's token or session the application knows. Nobody else gets room on the disk."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from hashlib import sha256
from threading import Lock
from time import monotonic

from .refusals import RefusedError, not_available, not_known

logger = logging.getLogger(__name__)

#: Seconds that an answer of the application counts. The view asks again in any case.
REMEMBERED_S = 60.0
#: More callers than upload in that time.
MOST_REMEMBERED = 1000


class Callers:
    """Asks the application, and remembers for a while whom it knew. `look_up` gets `Authorization` and `Cookie`."""

    def __init__(self, look_up: Callable[[str, str], bool]) -> None:
        self._look_up = look_up
        self._lock = Lock()
        self._known: dict[bytes, float] = {}

    def remembers(self, headers: Mapping[str, str]) -> bool:
        """Whether the caller was known a moment ago. Asks nobody."""
        return self._known.get(_mark(headers), 0.0) > monotonic()

    def refusal(self, headers: Mapping[str, str]) -> RefusedError | None:
        """Ask the application; return the refusal of a caller whom it does not know."""
        try:
            is_known = self._look_up(*_credentials(headers))
        except Exception:  # whatever fails: the thread goes on, and the client tries again
            logger.exception("A token could not be looked up.")
            return not_available("it cannot look up the token")
        if not is_known:
            return not_known()
        self._remember(_mark(headers))
        return None

    def _remember(self, mark: bytes) -> None:
        with self._lock:
            if len(self._known) >= MOST_REMEMBERED:
                self._known.clear()
            self._known[mark] = monotonic() + REMEMBERED_S


def has_credentials(headers: Mapping[str, str]) -> bool:
    """Whether there is anything to look up."""
    return any(_credentials(headers))


def _credentials(headers: Mapping[str, str]) -> tuple[str, str]:
    return headers.get("AUTHORIZATION", ""), headers.get("COOKIE", "")


def _mark(headers: Mapping[str, str]) -> bytes:
    return sha256("\0".join(_credentials(headers)).encode("utf-8", "surrogatepass")).digest()
