"""The fault lab: faults that operators meet, made on purpose and undone again. For training and for tests.

    base.py       what a fault is
    workers.py    workers that are killed, stopped, missing
    queue.py      jobs between two states, locked projects, a storm of jobs
    failures.py   jobs that failed, by what they failed of
    edits.py      edits that are not in the data
    files.py      files that devices or workers stumble over
    accounts.py   people, plans, quotas
    database.py   the database itself
    disk.py       a full disk, where it is small and the stack's alone
    settings.py   values of a deployment's `.env`
    services.py   services that are stopped, paused, misconfigured; what containers leave behind
    nginx.py      the door of a deployment
    certificates.py  what it shows to clients

A fault goes through the ports, as checks do. What it changes is looked up and written down before it is made, so that a
lab that was killed can be mended. To add one: write the class, name the checks that have to find it, put it into its
module's list; the tests then make it, find it and undo it.
"""

from __future__ import annotations

from ..errors import NotFoundError
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
    """Return the fault of that id. Raises NotFoundError."""
    for one in FAULTS:
        if one.id == id:
            return one
    raise NotFoundError(f"There is no fault {id}.", hint="Type: qfc lab list")


__all__ = ["FAULTS", "Fault", "UndoData", "fault"]
