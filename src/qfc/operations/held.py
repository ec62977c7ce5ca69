"""Ports whose lock is held already: operations that take it by themselves run one after another within one lock."""

from __future__ import annotations

from typing import Any, cast

from ..stack.model import Holder
from ..stack.ports import Lock, Ports


class _HeldLock(Lock):
    """A lock that somebody further out took, and will release."""

    def __init__(self, lock: Lock) -> None:
        self._lock = lock

    def identity(self) -> str:
        """Return the operator of this process."""
        return self._lock.identity()

    def take(self, reason: str) -> Holder:
        """Return the present holder: this process. Raises RuntimeError without one."""
        del reason
        holder = self._lock.holder()
        if holder is None:
            raise RuntimeError("the lock is not held")
        return holder

    def release(self) -> None:
        """Do nothing."""

    def holder(self) -> Holder | None:
        """Return the holder."""
        return self._lock.holder()

    def is_ours(self) -> bool:
        """Return whether this process still holds the lock."""
        return self._lock.is_ours()


class _HeldPorts:
    """All ports as they are, but the lock."""

    def __init__(self, ports: Ports) -> None:
        self._ports = ports
        self.lock = _HeldLock(ports.lock)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._ports, name)


def is_held(ports: Ports) -> bool:
    """Return whether an operation further out holds the lock: what is in the journal then is its own."""
    return isinstance(ports, _HeldPorts)


def held(ports: Ports) -> Ports:
    """Return the ports for operations within the lock. Only within `guarded`."""
    return cast("Ports", _HeldPorts(ports))
