"""The interfaces to the outside world that operations use and drivers implement.

Every method raises `UnreachableError` when the other side cannot be reached; a driver never guesses an answer.

hosts.py        hosts, where commands run, and the clock
running.py      the runtime of the services, the disk, the history of measurements
work.py         the queue and its workers, users and projects
server.py       the HTTP API, accounts, and the file store
deployment.py   interfaces that only a deployment of containers has
diagnosis/      interfaces that only a diagnosis uses: conditions in the database, inspection of a deployment
backups.py      the store of backup sets, and the stack as their source
records.py      the lock, the audit log, and the documents of operations
limits.py       limits on how often projects are synchronised
here.py         this machine: what it starts by itself
lab.py          faulty rows, for the fault lab
monitoring.py   what a monitor leaves with a stack, and the ways of its messages
upgrades.py     the release of an embedded stack, and the way back to the one before
stack.py        all of them together
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...lazy import loader

if TYPE_CHECKING:
    from .backups import BackupKeys, Backups, BackupSource, BackupStore, ProjectTarget, RestoreTarget, Snapshot
    from .deployment import (
        Certificates,
        Deployment,
        Dumps,
        Images,
        Rollout,
        Settings,
        Source,
        Traffic,
        Tunnels,
    )
    from .diagnosis import Conditions, Inspection
    from .here import ThisMachine
    from .hosts import Clock, Host, Machine, Process, Streams
    from .lab import LabRows
    from .limits import RateLimiter
    from .monitoring import Beat, History, Incident, IncidentEvent, Letter, Monitoring, Note, Post
    from .records import AuditLog, DataNote, Lock, Records
    from .running import DiskHistory, Footprint, MetricsHistory, Runtime, Transitions
    from .server import Accounts, Api, ObjectStore
    from .stack import Ports
    from .upgrades import Upgrades
    from .work import DatabaseQueue, Directory, JobHistory, JobStore, Queue, QueueStore, Workload

__all__ = [
    "Accounts",
    "Api",
    "AuditLog",
    "BackupKeys",
    "BackupSource",
    "BackupStore",
    "Backups",
    "Beat",
    "Certificates",
    "Clock",
    "Conditions",
    "DataNote",
    "DatabaseQueue",
    "Deployment",
    "Directory",
    "DiskHistory",
    "Dumps",
    "Footprint",
    "History",
    "Host",
    "Images",
    "Incident",
    "IncidentEvent",
    "Inspection",
    "JobHistory",
    "JobStore",
    "LabRows",
    "Letter",
    "Lock",
    "Machine",
    "MetricsHistory",
    "Monitoring",
    "Note",
    "ObjectStore",
    "Ports",
    "Post",
    "Process",
    "ProjectTarget",
    "Queue",
    "QueueStore",
    "RateLimiter",
    "Records",
    "RestoreTarget",
    "Rollout",
    "Runtime",
    "Settings",
    "Snapshot",
    "Source",
    "Streams",
    "ThisMachine",
    "Traffic",
    "Transitions",
    "Tunnels",
    "Upgrades",
    "Workload",
]

__getattr__ = loader(__name__, __file__)
