"""What a stack's database tells of problems: a small port a topic."""

from __future__ import annotations

from typing import Protocol

from .accounts import AccountConditions
from .files import FileConditions
from .projects import ProjectConditions
from .server import ServerConditions
from .work import WorkConditions


class Conditions(Protocol):
    """What rows tell of problems. Every list is bounded; projects are told as `owner/name`."""

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
