"""Shared parts of the tests of the fault lab."""

from __future__ import annotations

from qfc.lab import FAULTS, Fault
from qfc.lab.accounts import ACCOUNTS
from qfc.lab.database import DATABASE
from qfc.lab.edits import EDITS
from qfc.lab.failures import FAILURES
from qfc.lab.files import FILES
from qfc.lab.queue import QUEUE
from qfc.lab.workers import WORKERS
from qfc.stack.model import Kind

#: Faults that only the proof finds.
PROVEN = {fault.id for fault in FAULTS if "proof" in fault.finds}
#: Faults that need an engine, supervisord or nginx: the acceptance tests create them on real stacks.
REAL_ONLY = {
    "worker-missing",
    "nginx-stopped",
    "cache-stopped",
    "storage-stopped",
    "storage-hangs",
    "storage-away",
    "restart-policy-missing",
    "container-orphaned",
    "temporary-folder-leaked",
    "qgis-image-missing",
    "cron-stopped",
    "forwarded-proto-wrong",
    "downloads-empty",
    "static-files-missing",
    "api-past-files",
    "nginx-fragment-broken",
    "certificate-expired",
    "certificate-of-another-name",
    "certificate-without-its-key",
    "certificate-not-served",
    "certificate-missing",
    "database-stopped",
    "disk-full",
}
IN_TABLES = (*WORKERS, *QUEUE, *FAILURES, *EDITS, *FILES, *ACCOUNTS, *DATABASE)
#: Faults in rows, which only need a real database.
OF_ROWS = [one for one in IN_TABLES if one.id not in REAL_ONLY]


def faults_of(kind: Kind) -> list[Fault]:
    """Return the faults that stacks of a kind can have."""
    return [fault for fault in FAULTS if kind in fault.kinds]
