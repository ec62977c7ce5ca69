"""The diagnostic catalogue: one small class a check, by the ids of the problems that operators know.

    base.py             what a check is, and what it says
    evidence.py         what checks look at, each thing asked for once
    examine.py          runs checks side by side, each within its time
    synchronisation.py  jobs, workers, projects, edits, people
    surroundings.py     services, API, disk, images
    failed.py           jobs that failed and edits that are not in the data, by the reason
    logs.py             what services wrote into their logs
    web.py              the server as its clients see it
    certificates.py     what clients are shown, and its file
    releases.py         the files of the release, the last deployment
    records.py          the database itself: writable, of the right release, held up by nobody
    work.py             jobs and edits over the last days
    twice.py            edits that would be applied several times
    people.py           who may not log in, what plans do not allow
    files.py            files of projects, by their names and sizes
    mail.py             the mail server, as the application reaches it
    settings.py         the deployment's `.env`
    containers.py       containers, the engine, Compose
    stores.py           the stores of files
    launching.py        what official workers need for the containers of jobs
    hosts.py            the host: what fills it, its name, its clock

A check looks through the ports and changes nothing; what it may repair is a method of its own, called under the stack's
lock. To add one: write the class, name it in its module's list, make the fault in a test, and see that a healthy stack
has nothing to say about it.
"""

from __future__ import annotations

from .base import Auto, Check, Severity
from .certificates import CERTIFICATES
from .containers import CONTAINERS, CONTAINERS_ADVISORY
from .env_repairs import EnvEdit, RepairsEnv
from .evidence import Evidence
from .examine import examine
from .failed import FAILED
from .files import FILES, FILES_FOR_SYNC
from .hosts import HOSTS
from .launching import LAUNCHING, LAUNCHING_ADVISORY
from .logs import LOGS
from .mail import MAIL
from .people import PEOPLE, PEOPLE_FOR_SYNC
from .records import RECORDS, RECORDS_FOR_SYNC
from .releases import RELEASES
from .settings import SETTINGS
from .stores import STORES, STORES_ADVISORY
from .surroundings import SURROUNDINGS
from .synchronisation import SYNCHRONISATION
from .twice import TWICE
from .web import WEB
from .work import WORK

#: What the database tells.
ROWS_FOR_SYNC: tuple[Check, ...] = (*RECORDS_FOR_SYNC, *WORK, *TWICE, *PEOPLE_FOR_SYNC, *FILES_FOR_SYNC)
ROWS: tuple[Check, ...] = (*RECORDS, *PEOPLE, *FILES)
#: What decides whether synchronisation works: the cheap looks first.
FOR_SYNC: tuple[Check, ...] = (
    *SURROUNDINGS,
    *CONTAINERS,
    *STORES,
    *LAUNCHING,
    *SYNCHRONISATION,
    *ROWS_FOR_SYNC,
    *WEB,
    *FAILED,
    *LOGS,
)
#: What is worth knowing besides.
ADVISORY: tuple[Check, ...] = (
    *ROWS,
    *CERTIFICATES,
    *SETTINGS,
    *MAIL,
    *RELEASES,
    *CONTAINERS_ADVISORY,
    *STORES_ADVISORY,
    *LAUNCHING_ADVISORY,
    *HOSTS,
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
