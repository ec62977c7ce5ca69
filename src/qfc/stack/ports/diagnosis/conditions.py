"""Problems that a stack's database shows: one small port per topic."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from .accounts import AccountConditions
    from .files import FileConditions
    from .projects import ProjectConditions
    from .server import ServerConditions
    from .work import WorkConditions


class Conditions(Protocol):
    """Problems that rows show. Every list is bounded; projects are named `owner/name`."""

    @property
    def accounts(self) -> AccountConditions: ...
    @property
    def files(self) -> FileConditions: ...
    @property
    def projects(self) -> ProjectConditions: ...
    @property
    def server(self) -> ServerConditions: ...
    @property
    def work(self) -> WorkConditions: ...
