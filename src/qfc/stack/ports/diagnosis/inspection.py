"""A closer look at a deployment: a small port a topic."""

from __future__ import annotations

from typing import Protocol

from .containers import ContainerInspection
from .engine import EngineInspection
from .environment import EnvironmentInspection
from .host import HostInspection
from .network import NetworkInspection


class Inspection(Protocol):
    """What only a diagnosis needs of a deployment's host. It changes nothing but by `keep_running` and what removes."""

    @property
    def containers(self) -> ContainerInspection: ...
    @property
    def engine(self) -> EngineInspection: ...
    @property
    def environment(self) -> EnvironmentInspection: ...
    @property
    def host(self) -> HostInspection: ...
    @property
    def network(self) -> NetworkInspection: ...
