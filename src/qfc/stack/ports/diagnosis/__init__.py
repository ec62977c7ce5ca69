"""The interfaces that only a diagnosis uses: `qfc.checks` depends on them, and nothing else does.

conditions.py    problems that the database shows: accounts, files, projects, server, work
inspection.py    the inspection of a deployment: containers, engine, environment, host, network,
                 stores

A new query goes into the file of its topic here and in the driver: `drivers/postgres/conditions/`, with a block in
`drivers/sql/`, or `drivers/runtimes/compose/inspection/`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ....lazy import loader

if TYPE_CHECKING:
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
    from .stores import StoreInspection
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
    "StoreInspection",
    "WorkConditions",
]

__getattr__ = loader(__name__, __file__)
