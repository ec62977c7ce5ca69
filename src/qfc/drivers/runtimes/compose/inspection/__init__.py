"""The inspection of a deployment under Docker Compose for a diagnosis, one file per topic.

Data of the snapshot is not read again.
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
from .stores import ComposeStores


class ComposeInspection:
    """Inspects one deployment. `stores` returns the stores in the application's settings."""

    def __init__(self, observer: Observer, clock: Clock, stores: Callable[[], Sequence[StoreFacts]]) -> None:
        self.containers = ComposeContainers(observer)
        self.engine = ComposeEngine(observer)
        self.environment = ComposeEnvironment(observer, stores)
        self.host = ComposeHost(observer, clock, lambda: self.engine.facts().root)
        self.network = Reaching(observer.engine, observer.running)
        self.stores = ComposeStores(observer)
