"""Known kinds of failures, as data: how each is recognised, whose fault it is, and what to type.

The ids are those of the catalogue of known problems. The first match counts: specific signatures come before general
ones. These are about jobs; `delta_signatures` has those about single edits.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Cause(StrEnum):
    """Whose fault a failure is: the server's and its operator's, the project's, the user's or device's, or unknown."""

    SERVER = "server"
    PROJECT = "project"
    CLIENT = "client"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Signature:
    """A kind of failure. `fix` says in one sentence what to type or do.

    `pattern` is searched in error type and error, then in the output; for an edit, in the message of its last attempt.
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
    """Return the first signature that matches a text; None without a match."""
    return next((signature for signature in signatures if signature.pattern.search(text)), None)


def signature(id: str, title: str, cause: Cause, pattern: str, fix: str) -> Signature:
    """Return a signature; `^` and `$` in its pattern match at the ends of lines."""
    return Signature(id, title, cause, re.compile(pattern, re.MULTILINE), fix)


RETRY = "then: qfc jobs retry --status failed"

SIGNATURES = (
    signature(
        "D01",
        "the network of the workers does not exist",
        Cause.SERVER,
        r"network \S+ not found",
        f"Set QFIELDCLOUD_DEFAULT_NETWORK to the network's real name (shown by qfc doctor), {RETRY}",
    ),
    signature(
        "D02",
        "the QGIS image is missing",
        Cause.SERVER,
        r"pull access denied for \S*qgis|No such image|images/create\?\S*qgis|registry-1\.docker\.io",
        "See what to do: qfc image status",
    ),
    signature(
        "D03",
        "the images come from different releases",
        Cause.SERVER,
        r"No such file .*/tmp\w+/thumbnail\.png",
        "See the releases: qfc image status; then bring all images to one: qfc deploy --tag TAG",
    ),
    signature(
        "D10",
        "the temporary folder is not shared",
        Cause.SERVER,
        r"No such file .*/tmp\w+/feedback\.json",
        f"Set TMP_DIRECTORY=/tmp in .env; then: qfc services recreate --service worker_wrapper; {RETRY}",
    ),
    signature(
        "D04",
        "the job reached its time limit",
        Cause.SERVER,
        r"Worker timeout error|failed to finish within \d+|^TIMEOUT$",
        "Reduce the project, or raise WORKER_TIMEOUT_S in the admin (since v26.24 QFIELDCLOUD_WORKER_TIMEOUT_S in"
        " .env); see which step is slow: qfc jobs show ID",
    ),
    signature(
        "C11",
        "the job was killed at a large file, usually for lack of memory",
        Cause.SERVER,
        r"^Killed$",
        "Give workers more memory (WORKER_QGIS_MEMORY_LIMIT), or remove large rasters from the package",
    ),
    signature(
        "D05",
        "the job was killed, usually for lack of memory",
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
        "the worker could not read the job's logs",
        Cause.SERVER,
        r"\[QFC/Worker/1001\]",
        "Look for errors of the Docker engine: qfc logs --service worker_wrapper --job ID",
    ),
    signature(
        "D16",
        "no files reached the worker",
        Cause.SERVER,
        r"Local files list for project .* empty!",
        "Bring all images to one release (see: qfc image status); then: qfc jobs retry ID",
    ),
    signature(
        "B12",
        "a certificate is not trusted",
        Cause.SERVER,
        r"CERTIFICATE_VERIFY_FAILED",
        "Name the authority's certificate in QFIELDCLOUD_CUSTOM_CA_HOST_FILENAME; for this server's: qfc certs status",
    ),
    signature(
        "B05",
        "downloads need nginx or debug mode",
        Cause.SERVER,
        r"Expected to either run behind nginx proxy",
        "Make workers use an address that leads through nginx; see which one to set: qfc doctor",
    ),
    signature(
        "B13",
        "a file was too large for nginx",
        Cause.SERVER,
        r"413 Request Entity Too Large",
        "Raise client_max_body_size in the outer proxy, and NGINX_CLIENT_MAX_BODY_SIZE; then: qfc jobs retry ID",
    ),
    signature(
        "C00",
        "the file store could not be reached",
        Cause.SERVER,
        r"^STORAGE$|endpoint URL|Could not connect to the endpoint|No space left on device",
        f"See what is wrong with the store: qfc health; {RETRY}",
    ),
    signature(
        "A11",
        "a service was not found, usually memcached",
        Cause.SERVER,
        r"Name or service not known|Temporary failure in name resolution|MemcacheUnexpectedCloseError",
        f"See which service is down: qfc status; start it: qfc up; {RETRY}",
    ),
    signature(
        "B06",
        "the API answered with an internal error",
        Cause.SERVER,
        r"500 Internal Server Error|^API_INTERNAL_SERVER_ERROR$",
        f"Look for the usual causes: qfc doctor; read the log: qfc logs --service app --grep ERROR; {RETRY}",
    ),
    signature(
        "E01",
        "the project needs another version of QGIS",
        Cause.SERVER,
        r"Unsupported QGIS major version",
        "Give the server images of both QGIS versions; see which it has: qfc image status",
    ),
    signature(
        "H01",
        "the subscription is inactive",
        Cause.SERVER,
        r"inactive_subscription",
        "Give the owner's account an active plan (see: qfc users plans): qfc users quota NAME --plan CODE",
    ),
    signature(
        "H02",
        "the owner's plan does not allow this job",
        Cause.SERVER,
        r"permission_denied_plan_insufficient|plan is insufficient",
        "Give the owner's account another plan (see: qfc users plans): qfc users quota NAME --plan CODE",
    ),
    signature(
        "H03",
        "the storage quota is used up",
        Cause.CLIENT,
        r"over_quota|^API_PAYMENT_REQUIRED$",
        "Add storage: qfc users quota NAME --set SIZE; then: qfc jobs retry ID",
    ),
    signature(
        "E02",
        "a layer's file is missing",
        Cause.PROJECT,
        r"invalid_dataprovider|^FILE_NOT_FOUND$",
        "Ask the project's owner to upload the file or remove the layer; see which one: qfc projects status PROJECT",
    ),
    signature(
        "E05",
        "the password for an external database is missing",
        Cause.PROJECT,
        r"fe_sendauth: no password supplied|user defined environment variables: \[\]",
        "Ask the project's owner to create a secret for the project, visible to the user who starts the job",
    ),
    signature(
        "E04",
        "the external database refuses the worker",
        Cause.PROJECT,
        r"no pg_hba\.conf entry for host",
        "Allow the workers' network in the pg_hba.conf of that database",
    ),
    signature(
        "E03",
        "the external database cannot be reached",
        Cause.PROJECT,
        r"Unable to connect to (host|service)|Connection to database failed",
        "Use a host name that containers can reach (never localhost), and make the database listen there",
    ),
    signature(
        "E09",
        "the project has no project file",
        Cause.PROJECT,
        r"no_qgis_project",
        "Upload the .qgs or .qgz file; then: qfc jobs retry --type process_projectfile",
    ),
    signature(
        "E11",
        "the project has several project files",
        Cause.PROJECT,
        r"multiple_projects|Only one QGIS project",
        "Ask the project's owner to delete all .qgs and .qgz files but one",
    ),
    signature(
        "E12",
        "the project file is invalid",
        Cause.PROJECT,
        r"invalid XML document|^INVALID_PROJECT_FILE$|invalid_qgis_project_file",
        "Ask the project's owner to save the project with QGIS and upload it again",
    ),
    signature(
        "F04",
        "the layer's primary key has changed",
        Cause.PROJECT,
        r"modified feature pk valued? does not match",
        "Ask the project's owner to upload the project again, with the layer's real source",
    ),
    signature(
        "G10",
        "the worker's token had expired",
        Cause.SERVER,
        r"token_authentication_failed|^API_TOKEN_EXPIRED$",
        "The job reached its time limit: apply the fix of D04; then: qfc jobs retry ID",
    ),
    signature(
        "D14-403",
        "the user no longer has permission",
        Cause.CLIENT,
        r"^API_FORBIDDEN$",
        "Give the user a role in the project, or have another user start the job",
    ),
    signature(
        "D14-404",
        "the project or a file was deleted meanwhile",
        Cause.CLIENT,
        r"^API_NOT_FOUND$",
        "If that was intended, do nothing; otherwise look for the file: qfc projects status PROJECT",
    ),
    signature(
        "D14-other",
        "the API answered with an error",
        Cause.SERVER,
        r"^API_OTHER$",
        f"Check the route from worker to application: qfc health, qfc logs --service nginx; {RETRY}",
    ),
    signature(
        "cancelled",
        "an operator cancelled the job",
        Cause.CLIENT,
        r"^CANCELLED$",
        "To run it after all: qfc jobs retry ID",
    ),
)
