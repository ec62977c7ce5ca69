"""The rules for a project's layers in databases: the owner's plan, the operator's list, the node's own server."""

from __future__ import annotations

import time
from functools import lru_cache

from django.conf import settings

from ..core.models import Project
from ..core.quota import current_subscription
from ..gis.database_rules import DatabaseRules, resolve

#: Seconds for which the addresses of the node's own server are taken as known.
_KNOWN_S = 60


def rules_for(project: Project) -> DatabaseRules:
    """Return the rules for one job of the project."""
    subscription = current_subscription(project.owner_id)
    permitted = subscription is not None and subscription.plan.is_external_db_supported
    return DatabaseRules(permitted, tuple(settings.DATABASE_HOSTS), _own_servers(int(time.monotonic() / _KNOWN_S)))


@lru_cache(maxsize=1)
def _own_servers(_moment: int) -> tuple[tuple[str, int], ...]:
    """Return addresses and ports of the node's database; none if it listens on a socket of this machine only."""
    own = settings.DATABASES["default"]
    host, port = str(own["HOST"]), int(own["PORT"])
    if not host or host.startswith("/"):
        return ()
    try:
        return tuple((address, port) for address in resolve(host, port))
    except OSError:
        return ()
