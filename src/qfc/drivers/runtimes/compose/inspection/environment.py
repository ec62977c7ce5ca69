"""What the services of a deployment are told."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from .....stack.model import StoreFacts
from ..observer import Observer


class ComposeEnvironment:
    """Implements `qfc.stack.ports.diagnosis.EnvironmentInspection`. `stores` reads those of the application."""

    def __init__(self, observer: Observer, stores: Callable[[], Sequence[StoreFacts]]) -> None:
        self._observer, self._stores = observer, stores

    def of(self, service: str) -> Mapping[str, str]:
        """Return the environment of a service. It holds secrets."""
        return self._observer.environment(service)

    def stores(self) -> tuple[StoreFacts, ...]:
        """Return the stores of files that the settings name, the usual one first."""
        return tuple(self._stores())
