"""What only a diagnosis asks for: `qfc.checks` is written on these, and nothing else is.

conditions.py    what the database tells of problems: accounts, files, projects, server, work
inspection.py    a closer look at a deployment: containers, engine, environment, host, network

A new question goes into the file of its topic here and in the driver: `drivers/postgres/conditions/`, with a block in
`drivers/sql/`, or `drivers/runtimes/compose/inspection/`.
"""

from __future__ import annotations

from .accounts import AccountConditions
from .conditions import Conditions
from .containers import ContainerInspection
from .engine import EngineInspection
from .environment import EnvironmentInspection
from .files import FileConditions
from .host import HostInspection
from .inspection import Inspection
from .network import NetworkInspection
from .projects import ProjectConditions
from .server import ServerConditions
from .work import WorkConditions

__all__ = [
    "AccountConditions",
    "Conditions",
    "ContainerInspection",
    "EngineInspection",
    "EnvironmentInspection",
    "FileConditions",
    "HostInspection",
    "Inspection",
    "NetworkInspection",
    "ProjectConditions",
    "ServerConditions",
    "WorkConditions",
]
