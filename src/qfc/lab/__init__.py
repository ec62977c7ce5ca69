"""The fault lab: faults that operators meet, injected on purpose and undone again. For training and for tests.

    base.py          the Fault class
    workers.py       killed, stopped and missing workers
    queue.py         jobs between two states, locked projects, a storm of jobs
    failures.py      failed jobs, by their reasons
    edits.py         edits that are not in the data
    files.py         files that devices or workers cannot handle
    accounts.py      users, plans, quotas
    database.py      the database itself
    disk.py          a full disk, where it is small and used by the stack alone
    settings.py      values of a deployment's `.env`
    services.py      stopped, paused and misconfigured services; leftovers of containers
    nginx.py         the configuration of a deployment's nginx
    certificates.py  the certificates that nginx serves

A fault uses the ports, as checks do. It looks up and records what it changes before it changes it, so that a lab whose
process was killed can be repaired. To add one: write the class, name the checks that must find it, add it to its
module's list; the tests then inject it, find it and undo it.
"""

from __future__ import annotations

from ..errors import NotFoundError
from ..stack.names import did_you_mean
from .accounts import ACCOUNTS
from .base import Fault, UndoData
from .certificates import CERTIFICATES
from .database import DATABASE
from .disk import DISK
from .edits import EDITS
from .failures import FAILURES
from .files import FILES
from .nginx import NGINX
from .queue import QUEUE
from .services import SERVICES
from .settings import SETTINGS
from .workers import WORKERS

FAULTS: tuple[Fault, ...] = (
    *WORKERS,
    *QUEUE,
    *FAILURES,
    *EDITS,
    *FILES,
    *ACCOUNTS,
    *DATABASE,
    *DISK,
    *SERVICES,
    *SETTINGS,
    *NGINX,
    *CERTIFICATES,
)


def fault(id: str) -> Fault:
    """Return the fault with this id. Raises NotFoundError."""
    for one in FAULTS:
        if one.id == id:
            return one
    said = f"The lab has no fault {id}.{did_you_mean(id, (one.id for one in FAULTS))}"
    raise NotFoundError(said, hint="Type: qfc lab list")


__all__ = ["FAULTS", "Fault", "UndoData", "fault"]
