"""The environment of a deployment's services."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from ...model import StoreFacts


class EnvironmentInspection(Protocol):
    """Environments of services, and facts derived from them."""

    def of(self, service: str) -> Mapping[str, str]:
        """Return the environment of a service. It contains secrets."""
        ...

    def stores(self) -> tuple[StoreFacts, ...]:
        """Return the file stores in the settings, the default first. Raises ConfigError where these are invalid."""
        ...
