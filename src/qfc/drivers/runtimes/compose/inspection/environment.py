"""The environment of a deployment's services."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from .....stack.model import StoreFacts
from .....stack.ports.diagnosis import EnvironmentInspection
from ..observer import Observer


class ComposeEnvironment(EnvironmentInspection):
    """The environments of one deployment's services. `stores` reads the stores of the application."""

    def __init__(self, observer: Observer, stores: Callable[[], Sequence[StoreFacts]]) -> None:
        self._observer, self._stores = observer, stores

    def of(self, service: str) -> Mapping[str, str]:
        return self._observer.environment(service)

    def stores(self) -> tuple[StoreFacts, ...]:
        return tuple(self._stores())
