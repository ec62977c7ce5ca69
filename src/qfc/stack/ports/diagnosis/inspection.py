"""The inspection of a deployment: one small port per topic."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from .containers import ContainerInspection
    from .engine import EngineInspection
    from .environment import EnvironmentInspection
    from .host import HostInspection
    from .network import NetworkInspection
    from .stores import StoreInspection


class Inspection(Protocol):
    """A deployment's host, as only a diagnosis needs it.

    Nothing changes it except `keep_running`, `remove`, `remove_folders` and `expire`.
    """

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
    @property
    def stores(self) -> StoreInspection: ...
