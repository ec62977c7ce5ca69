"""The diagnostic catalogue: one small class per check, under the ids of the known problems.

    base.py             the Check class
    evidence.py         the evidence that checks share; each piece is read once
    examine.py          runs checks in parallel, with a time limit
    synchronisation.py  jobs, workers, projects, edits, quotas
    lost_edits.py       edits that devices have sent and that are not in the data
    surroundings.py     services, API, disk, images, cache
    failed.py           failed jobs and edits that are not in the data, by reason
    logs.py             known lines in the logs of services; logs_start.py and logs_login.py have more of them
    web.py              the server as its clients see it
    pages.py            its pages, behind all redirects
    certificates.py     the certificate that clients see, and its file
    releases.py         the files of the release, the last deployment
    cron.py             the application's periodic tasks
    records.py          the database itself: writable, migrated, free of blocking sessions
    growth.py           rows that are never removed
    work.py             jobs and edits of the last days
    twice.py            edits that would be applied several times
    accounts.py         users who cannot log in, limits of plans
    files.py            files of projects, by name and size
    mail.py             the mail server, as the application reaches it
    settings.py         the deployment's `.env`; setting_check.py is their class
    without_effect.py   lines of it that nothing reads
    compose_files.py    Compose files that it does not name
    development.py      development files in it
    internal_http.py    the size of requests that workers may send by http
    worker_address.py   the address in it by which workers reach the application
    shipped.py          secrets in `.env` that are still those of the example; empty_keys.py keys without a value
    containers.py       containers, the Docker engine, Compose
    stores.py           the file stores; store_versions.py what they never free
    launching.py        what official workers need to start containers for jobs
    box.py              what holds the jobs of the node's workers
    limits.py           limits that are set and not applied
    maintenance.py      maintenance that was killed
    capacity.py         the number of workers, as a week of work judges it
    hosts.py            the host: its disks, its name, its clock
    backups.py          backups: made, fresh, whole, tried
    monitoring.py       the monitor, if there is one
    protection.py       what `qfc protect` set up

A check reads through the ports and changes nothing; its repair is a separate method, called under the stack's lock. To
add one: write the class, add it to its module's list, produce the fault in a test, and verify that the check stays
silent on a healthy stack.
"""

from __future__ import annotations

from .accounts import ACCOUNTS, ACCOUNTS_FOR_SYNC
from .backups import BACKUPS
from .base import Auto, Check, Severity
from .box import BOX
from .capacity import CAPACITY
from .certificates import CERTIFICATES
from .compose_files import FilesNotNamed
from .containers import CONTAINERS, CONTAINERS_ADVISORY
from .empty_keys import EmptyKeys
from .env_repairs import EnvEdit, RepairsEnv
from .evidence import Evidence
from .examine import examine
from .failed import FAILED
from .files import FILES, FILES_FOR_SYNC
from .growth import GROWTH
from .hosts import HOSTS
from .internal_http import SmallUploads
from .launching import LAUNCHING, LAUNCHING_ADVISORY
from .limits import LIMITS
from .logs import LOGS
from .logs_login import LOGS_OF_LOGINS
from .logs_start import LOGS_OF_STARTS
from .mail import MAIL
from .maintenance import MAINTENANCE
from .monitoring import MONITORING
from .protection import PROTECTION
from .records import RECORDS, RECORDS_FOR_SYNC
from .releases import RELEASES
from .settings import SETTINGS
from .store_versions import StoreNeverFrees
from .stores import STORES, STORES_ADVISORY
from .surroundings import SURROUNDINGS
from .synchronisation import SYNCHRONISATION
from .twice import TWICE
from .web import WEB
from .without_effect import WithoutEffect
from .work import WORK

#: Checks that read the database.
ROWS_FOR_SYNC: tuple[Check, ...] = (*RECORDS_FOR_SYNC, *WORK, *TWICE, *ACCOUNTS_FOR_SYNC, *FILES_FOR_SYNC)
ROWS: tuple[Check, ...] = (*GROWTH, *RECORDS, *ACCOUNTS, *FILES)
#: Checks that decide whether synchronisation works, the cheap ones first.
FOR_SYNC: tuple[Check, ...] = (
    *SURROUNDINGS,
    *CONTAINERS,
    *STORES,
    *LAUNCHING,
    *SYNCHRONISATION,
    *ROWS_FOR_SYNC,
    *WEB,
    SmallUploads(),
    *FAILED,
    *LOGS,
    *LOGS_OF_STARTS,
    *LOGS_OF_LOGINS,
)
#: Checks of everything else that is worth knowing.
ADVISORY: tuple[Check, ...] = (
    *ROWS,
    *CERTIFICATES,
    *SETTINGS,
    EmptyKeys(),
    WithoutEffect(),
    FilesNotNamed(),
    *MAIL,
    *RELEASES,
    *CONTAINERS_ADVISORY,
    *STORES_ADVISORY,
    StoreNeverFrees(),
    *LAUNCHING_ADVISORY,
    *HOSTS,
    *BOX,
    *BACKUPS,
    *MONITORING,
    *LIMITS,
    *MAINTENANCE,
    *CAPACITY,
    *PROTECTION,
)
EVERYTHING: tuple[Check, ...] = (*FOR_SYNC, *ADVISORY)

__all__ = [
    "ADVISORY",
    "EVERYTHING",
    "FOR_SYNC",
    "Auto",
    "Check",
    "EnvEdit",
    "Evidence",
    "RepairsEnv",
    "Severity",
    "examine",
]
