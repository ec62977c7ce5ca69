"""Known kinds of failures, as data: how each is recognised, whose fault it is, and what to type.

The ids are those of the catalogue of known problems. The first that fits counts: what is particular stands before what
is general. Those here are about jobs; `delta_signatures` has those about single field edits.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Cause(StrEnum):
    """Whose fault it is: the server and its operator, the project, the person or device, or nobody knows."""

    SERVER = "server"
    PROJECT = "project"
    CLIENT = "client"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Signature:
    """A kind of failure. `fix` says in one sentence what to type or do.

    `pattern` is looked for in error type and error, then in the output; for an edit in what the last try said.
    """

    id: str
    title: str
    cause: Cause
    pattern: re.Pattern[str]
    fix: str

    @property
    def name(self) -> str:
        """The id and the title, as lists show them."""
        return f"{self.id} {self.title}"


def find(signatures: Iterable[Signature], text: str) -> Signature | None:
    """Return the first signature that fits a text."""
    return next((signature for signature in signatures if signature.pattern.search(text)), None)


def signature(id: str, title: str, cause: Cause, pattern: str, fix: str) -> Signature:
    """Make a signature; `^` and `$` of the pattern stand for the ends of lines."""
    return Signature(id, title, cause, re.compile(pattern, re.MULTILINE), fix)


RETRY = "then: qfc jobs retry --status failed"

SIGNATURES = (
    signature(
        "D01",
        "the network of the workers does not exist",
        Cause.SERVER,
        r"network \S+ not found",
        f"Set QFIELDCLOUD_DEFAULT_NETWORK to the network's real name (qfc doctor says it), {RETRY}",
    ),
    signature(
        "D02",
        "the QGIS image is missing",
        Cause.SERVER,
        r"pull access denied for \S*qgis|No such image|images/create\?\S*qgis|registry-1\.docker\.io",
        "Type: qfc image status; it says what to do.",
    ),
    signature(
        "D03",
        "images of different releases",
        Cause.SERVER,
        r"No such file .*/tmp\w+/thumbnail\.png",
        "Bring all images to one release: qfc image status, then qfc deploy --tag TAG",
    ),
    signature(
        "D10",
        "the temporary folder is not shared",
        Cause.SERVER,
        r"No such file .*/tmp\w+/feedback\.json",
        f"Set TMP_DIRECTORY=/tmp in .env, type: qfc services recreate --service worker_wrapper; {RETRY}",
    ),
    signature(
        "D04",
        "the time limit was reached",
        Cause.SERVER,
        r"Worker timeout error|failed to finish within \d+|^TIMEOUT$",
        "See which step is slow: qfc jobs show ID; slim the project, or raise WORKER_TIMEOUT_S",
    ),
    signature(
        "C11",
        "killed over a big file, most often for lack of memory",
        Cause.SERVER,
        r"^Killed$",
        "Give workers more memory (WORKER_QGIS_MEMORY_LIMIT), or take big rasters out of the package",
    ),
    signature(
        "D05",
        "killed, most often for lack of memory",
        Cause.SERVER,
        r"DOCKER_ENGINE_SIGKILL|Job has been cancelled by parent process|^OUT_OF_MEMORY$|^KILLED$",
        f"Raise WORKER_QGIS_MEMORY_LIMIT, or run fewer workers: qfc workers scale N; {RETRY}",
    ),
    signature(
        "D08",
        "the worker died",
        Cause.SERVER,
        r"Job unexpectedly terminated|^WORKER_DIED$",
        "See why: qfc logs --service worker_wrapper; then: qfc jobs retry ID. Edits: qfc deltas list --status error",
    ),
    signature(
        "D15",
        "the worker's logs could not be read",
        Cause.SERVER,
        r"\[QFC/Worker/1001\]",
        "See what the engine says: qfc logs --service worker_wrapper --job ID",
    ),
    signature(
        "D16",
        "no files reached the worker",
        Cause.SERVER,
        r"Local files list for project .* empty!",
        "Bring all images to one release: qfc image status; then: qfc jobs retry ID",
    ),
    signature(
        "B12",
        "a certificate is not trusted",
        Cause.SERVER,
        r"CERTIFICATE_VERIFY_FAILED",
        "Give the server the authority's certificate (QFIELDCLOUD_CUSTOM_CA_HOST_FILENAME), or see: qfc certs status",
    ),
    signature(
        "B05",
        "downloads need nginx or debug mode",
        Cause.SERVER,
        r"Expected to either run behind nginx proxy",
        "Let the workers come through nginx: qfc doctor says which address to set",
    ),
    signature(
        "B13",
        "a file was too big for nginx",
        Cause.SERVER,
        r"413 Request Entity Too Large",
        "Raise client_max_body_size in the outer proxy, and NGINX_CLIENT_MAX_BODY_SIZE; then: qfc jobs retry ID",
    ),
    signature(
        "C00",
        "the storage could not be reached",
        Cause.SERVER,
        r"^STORAGE$|endpoint URL|Could not connect to the endpoint|No space left on device",
        f"See what is wrong with it: qfc health; {RETRY}",
    ),
    signature(
        "A11",
        "a service was not found, most often memcached",
        Cause.SERVER,
        r"Name or service not known|Temporary failure in name resolution|MemcacheUnexpectedCloseError",
        f"See which one does not run: qfc status; qfc up starts it; {RETRY}",
    ),
    signature(
        "B06",
        "the API answered with an internal error",
        Cause.SERVER,
        r"500 Internal Server Error|^API_INTERNAL_SERVER_ERROR$",
        f"See its log: qfc logs --service app --grep ERROR; qfc doctor looks for the usual causes; {RETRY}",
    ),
    signature(
        "E01",
        "the project needs another QGIS",
        Cause.SERVER,
        r"Unsupported QGIS major version",
        "Let the server have images of both releases of QGIS: qfc image status",
    ),
    signature(
        "H01",
        "the subscription is inactive",
        Cause.SERVER,
        r"inactive_subscription",
        "Give the owner's account an active plan: qfc users plans, then qfc users quota NAME --plan CODE",
    ),
    signature(
        "H02",
        "the plan does not allow it",
        Cause.SERVER,
        r"permission_denied_plan_insufficient|plan is insufficient",
        "Give the owner's account another plan: qfc users plans, then qfc users quota NAME --plan CODE",
    ),
    signature(
        "H03",
        "the storage quota is used up",
        Cause.CLIENT,
        r"over_quota|^API_PAYMENT_REQUIRED$",
        "Type: qfc users quota NAME; add storage, then: qfc jobs retry ID",
    ),
    signature(
        "E02",
        "a layer's file is missing",
        Cause.PROJECT,
        r"invalid_dataprovider|^FILE_NOT_FOUND$",
        "The project's owner has to upload the file, or take the layer out: qfc projects status PROJECT",
    ),
    signature(
        "E05",
        "a password for the database is missing",
        Cause.PROJECT,
        r"fe_sendauth: no password supplied|user defined environment variables: \[\]",
        "Its owner has to make a secret for the project, visible to who starts the job",
    ),
    signature(
        "E04",
        "the external database refuses the worker",
        Cause.PROJECT,
        r"no pg_hba\.conf entry for host",
        "Let the workers' network in, in the pg_hba.conf of that database",
    ),
    signature(
        "E03",
        "the external database is not reached",
        Cause.PROJECT,
        r"Unable to connect to (host|service)|Connection to database failed",
        "Name a host that containers reach (never localhost), and let that database listen there",
    ),
    signature(
        "E09",
        "there is no project file",
        Cause.PROJECT,
        r"no_qgis_project",
        "Upload the .qgs or .qgz file; when it is there: qfc jobs retry --type process_projectfile",
    ),
    signature(
        "E11",
        "there are several project files",
        Cause.PROJECT,
        r"multiple_projects|Only one QGIS project",
        "The project's owner has to delete all .qgs and .qgz files but one",
    ),
    signature(
        "E12",
        "the project file is invalid",
        Cause.PROJECT,
        r"invalid XML document|^INVALID_PROJECT_FILE$",
        "The project's owner has to save it with QGIS and upload it again",
    ),
    signature(
        "F04",
        "the layer has another primary key",
        Cause.PROJECT,
        r"modified feature pk valued? does not match",
        "The project's owner has to upload the project again, with the layer's real source",
    ),
    signature(
        "G10",
        "the worker's token had expired",
        Cause.SERVER,
        r"token_authentication_failed|^API_TOKEN_EXPIRED$",
        "The job came to its time limit: see the fix of D04; then: qfc jobs retry ID",
    ),
    signature(
        "D14-403",
        "the person has no right to it any more",
        Cause.CLIENT,
        r"^API_FORBIDDEN$",
        "Give the person a role in the project, or let somebody else start the job",
    ),
    signature(
        "D14-404",
        "the project was deleted meanwhile",
        Cause.CLIENT,
        r"^API_NOT_FOUND$",
        "Nothing is to be done when that was meant; else look for the file: qfc projects status PROJECT",
    ),
    signature(
        "D14-other",
        "the API answered with an error",
        Cause.SERVER,
        r"^API_OTHER$",
        f"See what stands between worker and application: qfc health, qfc logs --service nginx; {RETRY}",
    ),
    signature(
        "cancelled",
        "cancelled by an operator",
        Cause.CLIENT,
        r"^CANCELLED$",
        "To have it done after all: qfc jobs retry ID",
    ),
)
