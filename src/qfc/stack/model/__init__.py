"""The parts of a stack: immutable snapshots, observed at one moment.

Times are aware datetimes, durations seconds, sizes bytes. `None` means that the value is not known.

services.py    services, instances, disks, logs, commands
work.py        jobs, deltas, workers, the queue
directory.py   users, plans, projects, the database
conditions.py  problems that the database shows (import these from there)
records.py     locks and the audit log
deployment.py  images, revisions, dumps, certificates
inspection.py  a diagnosis's view of a deployment's host
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...lazy import loader

if TYPE_CHECKING:
    from .deployment import (
        Certificate,
        ComposeFacts,
        DiskPart,
        Dump,
        Image,
        MemoryRoom,
        Revision,
        SourceState,
        Tunnel,
        TunnelRoute,
    )
    from .directory import DatabaseStatus, Plan, Project, Subscription, User
    from .inspection import (
        ContainerFacts,
        EngineFacts,
        Inodes,
        MailServer,
        Neighbour,
        Reached,
        StoreContent,
        StoredBytes,
        StoreFacts,
        TemporaryFolder,
        Vantage,
    )
    from .records import BEGUN, AuditEntry, Holder, each_once
    from .services import (
        OFFERED,
        ApiAnswer,
        ApiRequest,
        Capability,
        CommandResult,
        Disk,
        Health,
        Instance,
        Kind,
        LogLine,
        Service,
        ServiceState,
        Upload,
        Verdict,
    )
    from .work import (
        BoxLayer,
        Delta,
        Durations,
        Held,
        Job,
        JobStatistics,
        JobStatus,
        QueueChange,
        QueueDepth,
        QueueSnapshot,
        Refusal,
        Released,
        Transition,
        WaitingCounts,
        Worker,
    )

__all__ = [
    "BEGUN",
    "OFFERED",
    "ApiAnswer",
    "ApiRequest",
    "AuditEntry",
    "BoxLayer",
    "Capability",
    "Certificate",
    "CommandResult",
    "ComposeFacts",
    "ContainerFacts",
    "DatabaseStatus",
    "Delta",
    "Disk",
    "DiskPart",
    "Dump",
    "Durations",
    "EngineFacts",
    "Health",
    "Held",
    "Holder",
    "Image",
    "Inodes",
    "Instance",
    "Job",
    "JobStatistics",
    "JobStatus",
    "Kind",
    "LogLine",
    "MailServer",
    "MemoryRoom",
    "Neighbour",
    "Plan",
    "Project",
    "QueueChange",
    "QueueDepth",
    "QueueSnapshot",
    "Reached",
    "Refusal",
    "Released",
    "Revision",
    "Service",
    "ServiceState",
    "SourceState",
    "StoreContent",
    "StoreFacts",
    "StoredBytes",
    "Subscription",
    "TemporaryFolder",
    "Transition",
    "Tunnel",
    "TunnelRoute",
    "Upload",
    "User",
    "Vantage",
    "Verdict",
    "WaitingCounts",
    "Worker",
    "each_once",
]

__getattr__ = loader(__name__, __file__)
