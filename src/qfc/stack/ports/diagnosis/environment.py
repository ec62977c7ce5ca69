"""What the services of a deployment are told."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from ...model import StoreFacts


class EnvironmentInspection(Protocol):
    """Environments of services, and what follows from them."""

    def of(self, service: str) -> Mapping[str, str]:
        """Return the environment of a service. It holds secrets."""
        ...

    def stores(self) -> tuple[StoreFacts, ...]:
        """Return the stores of files that the settings name, the usual one first. Raises ConfigError."""
        ...
