"""The closer look of a diagnosis at a deployment under Docker Compose, a topic a file.

What a look has seen is not asked for again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from .....stack.model import StoreFacts
from .....stack.ports import Clock
from ....docker.reaching import Reaching
from ..observer import Observer
from .containers import ComposeContainers
from .engine import ComposeEngine
from .environment import ComposeEnvironment
from .host import ComposeHost


class ComposeInspection:
    """Looks closer at one deployment. `stores` gives the stores that the application's settings name."""

    def __init__(self, observer: Observer, clock: Clock, stores: Callable[[], Sequence[StoreFacts]]) -> None:
        self.containers = ComposeContainers(observer)
        self.engine = ComposeEngine(observer)
        self.environment = ComposeEnvironment(observer, stores)
        self.host = ComposeHost(observer, clock, lambda: self.engine.facts().root)
        self.network = Reaching(observer.engine, observer.running)
