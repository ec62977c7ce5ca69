"""Honest twins of the ports, in memory: held to the same contract tests as the real drivers."""

from __future__ import annotations

from .directory import MemoryDirectory
from .machine import MemoryClock, MemoryHost
from .queue import MemoryQueue
from .records import LockTable, MemoryApi, MemoryAuditLog, MemoryFootprint, MemoryLock, MemoryObjectStore
from .runtime import MemoryRuntime
from .stack import MemoryPorts, memory_stack

__all__ = [
    "LockTable",
    "MemoryApi",
    "MemoryAuditLog",
    "MemoryClock",
    "MemoryDirectory",
    "MemoryFootprint",
    "MemoryHost",
    "MemoryLock",
    "MemoryObjectStore",
    "MemoryPorts",
    "MemoryQueue",
    "MemoryRuntime",
    "memory_stack",
]
