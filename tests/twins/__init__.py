"""Honest twins of the ports, in memory: held to the same contract tests as the real drivers.

`QuietConditions` is not one: it is a database that reports no problem, whatever the other twins contain.
"""

from __future__ import annotations

from .conditions import QuietConditions
from .deployment import (
    MemoryDeployment,
    MemoryDumps,
    MemoryImages,
    MemoryRollout,
    MemoryTraffic,
)
from .deployment_files import MemoryRecords, MemorySettings, MemorySource
from .directory import MemoryDirectory
from .inspection import MemoryInspection
from .machine import MemoryClock, MemoryHost
from .queue import MemoryQueue
from .rate_limits import MemoryRateLimits
from .records import (
    LockTable,
    MemoryApi,
    MemoryAuditLog,
    MemoryFootprint,
    MemoryLock,
    MemoryObjectStore,
    MemoryTransitions,
)
from .runtime import MemoryRuntime
from .site import Release, Site
from .stack import MemoryPorts, memory_deployment, memory_stack

__all__ = [
    "LockTable",
    "MemoryApi",
    "MemoryAuditLog",
    "MemoryClock",
    "MemoryDeployment",
    "MemoryDirectory",
    "MemoryDumps",
    "MemoryFootprint",
    "MemoryHost",
    "MemoryImages",
    "MemoryInspection",
    "MemoryLock",
    "MemoryObjectStore",
    "MemoryPorts",
    "MemoryQueue",
    "MemoryRateLimits",
    "MemoryRecords",
    "MemoryRollout",
    "MemoryRuntime",
    "MemorySettings",
    "MemorySource",
    "MemoryTraffic",
    "MemoryTransitions",
    "QuietConditions",
    "Release",
    "Site",
    "memory_deployment",
    "memory_stack",
]
