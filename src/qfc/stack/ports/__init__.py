"""What operations need of the outside world. Drivers implement these.

Every method raises `UnreachableError` when the other side cannot be reached, and never answers from a guess.

hosts.py        where commands run, and the time
running.py      what runs the services
work.py         the queue and who works at it, people and projects
server.py       the HTTP API, accounts, and the store of files
deployment.py   what only a deployment of containers has
diagnosis/      what only a diagnosis asks for: conditions in the database, a closer look at a deployment
records.py      lock, audit log, and documents that operations leave
lab.py          faulty rows, for the fault lab
stack.py        all of them together
"""

from __future__ import annotations

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
from .hosts import Clock, Host, Machine, Process, Streams
from .lab import LabRows
from .records import AuditLog, Lock, Records
from .running import DiskHistory, Footprint, Runtime, Transitions
from .server import Accounts, Api, ObjectStore
from .stack import Ports
from .work import DatabaseQueue, Directory, JobHistory, JobStore, Queue, QueueStore, Workload

__all__ = [
    "Accounts",
    "Api",
    "AuditLog",
    "Certificates",
    "Clock",
    "Conditions",
    "DatabaseQueue",
    "Deployment",
    "Directory",
    "DiskHistory",
    "Dumps",
    "Footprint",
    "Host",
    "Images",
    "Inspection",
    "JobHistory",
    "JobStore",
    "LabRows",
    "Lock",
    "Machine",
    "ObjectStore",
    "Ports",
    "Process",
    "Queue",
    "QueueStore",
    "Records",
    "Rollout",
    "Runtime",
    "Settings",
    "Source",
    "Streams",
    "Traffic",
    "Transitions",
    "Tunnels",
    "Workload",
]
