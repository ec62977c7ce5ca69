"""Why a job failed: its cause and its signature, from what the worker wrote into the row.

Signatures are data. The ids are those of the catalogue of known problems; a failure that none of them fits is told
by its `error_type`, and one without that by where the error came from. The first that fits counts.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

#: Longer error texts are cut: they may hold the whole answer of a server.
ERROR_LENGTH = 500


class Cause(StrEnum):
    """Whose fault it is: the server and its operator, the project, the person or device, or nobody knows."""

    SERVER = "server"
    PROJECT = "project"
    CLIENT = "client"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Failure:
    """A failed job, explained. `signature` is the same for failures of one kind."""

    cause: Cause
    signature: str
    error: str


@dataclass(frozen=True)
class Signature:
    """A kind of failure: `pattern` is looked for in error type and error, then in the output."""

    id: str
    title: str
    cause: Cause
    pattern: re.Pattern[str]


def _signature(id: str, title: str, cause: Cause, pattern: str) -> Signature:
    return Signature(id, title, cause, re.compile(pattern, re.MULTILINE))


SIGNATURES = (
    _signature("D01", "the network of the workers does not exist", Cause.SERVER, r"network \S+ not found"),
    _signature("D02", "the QGIS image is missing", Cause.SERVER, r"pull access denied for \S*qgis|No such image"),
    _signature("D03", "images of different releases", Cause.SERVER, r"No such file .*/tmp\w+/thumbnail\.png"),
    _signature("D10", "the temporary folder is not shared", Cause.SERVER, r"No such file .*/tmp\w+/feedback\.json"),
    _signature(
        "D04", "the time limit was reached", Cause.SERVER, r"Worker timeout error|failed to finish within \d+|^TIMEOUT$"
    ),
    _signature(
        "D05",
        "killed, most often for lack of memory",
        Cause.SERVER,
        r"DOCKER_ENGINE_SIGKILL|Job has been cancelled by parent process|^Killed$|^OUT_OF_MEMORY$",
    ),
    _signature("D08", "the worker died", Cause.SERVER, r"Job unexpectedly terminated|^WORKER_DIED$"),
    _signature("D15", "the worker's logs could not be read", Cause.SERVER, r"\[QFC/Worker/1001\]"),
    _signature("D16", "no files reached the worker", Cause.SERVER, r"Local files list for project .* empty!"),
    _signature("B05", "downloads need nginx or debug mode", Cause.SERVER, r"Expected to either run behind nginx proxy"),
    _signature("B13", "a file was too big for nginx", Cause.SERVER, r"413 Request Entity Too Large"),
    _signature(
        "C00",
        "the storage could not be reached",
        Cause.SERVER,
        r"^STORAGE$|endpoint URL|Could not connect to the endpoint|No space left on device",
    ),
    _signature(
        "B06",
        "the API answered with an internal error",
        Cause.SERVER,
        r"500 Internal Server Error|^API_INTERNAL_SERVER_ERROR$",
    ),
    _signature("E01", "the project needs another QGIS", Cause.SERVER, r"Unsupported QGIS major version"),
    _signature("H01", "the subscription is inactive", Cause.SERVER, r"inactive_subscription"),
    _signature(
        "H02", "the plan does not allow it", Cause.SERVER, r"permission_denied_plan_insufficient|plan is insufficient"
    ),
    _signature("H03", "the storage quota is used up", Cause.CLIENT, r"over_quota|^API_PAYMENT_REQUIRED$"),
    _signature("E02", "a layer's file is missing", Cause.PROJECT, r"invalid_dataprovider|^FILE_NOT_FOUND$"),
    _signature("E05", "a password for the database is missing", Cause.PROJECT, r"fe_sendauth: no password supplied"),
    _signature("E04", "the external database refuses the worker", Cause.PROJECT, r"no pg_hba\.conf entry for host"),
    _signature(
        "E03",
        "the external database is not reached",
        Cause.PROJECT,
        r"Unable to connect to (host|service)|Connection to database failed",
    ),
    _signature("E09", "there is no project file", Cause.PROJECT, r"no_qgis_project"),
    _signature("E11", "there are several project files", Cause.PROJECT, r"multiple_projects|Only one QGIS project"),
    _signature("E12", "the project file is invalid", Cause.PROJECT, r"invalid XML document|^INVALID_PROJECT_FILE$"),
    _signature(
        "F04", "the layer has another primary key", Cause.PROJECT, r"modified feature pk valued? does not match"
    ),
    _signature(
        "G10", "the worker's token had expired", Cause.SERVER, r"token_authentication_failed|^API_TOKEN_EXPIRED$"
    ),
    _signature("D14-403", "the person has no right to it any more", Cause.CLIENT, r"^API_FORBIDDEN$"),
    _signature("D14-404", "the project was deleted meanwhile", Cause.CLIENT, r"^API_NOT_FOUND$"),
    _signature("D14-other", "the API answered with an error", Cause.SERVER, r"^API_OTHER$"),
    _signature("cancelled", "cancelled by an operator", Cause.CLIENT, r"^CANCELLED$"),
)

#: What differs between two failures of one kind: ids, paths, numbers, quoted names.
PARTICULARS = re.compile(r"[0-9a-f]{8}-[0-9a-f-]{27}|0x[0-9a-f]+|(?:/[\w.\-]+)+|'[^']*'|\"[^\"]*\"|\d+")


def classify(feedback: Mapping[str, Any] | None, output: str | None) -> Failure:
    """Explain a failed job from its feedback and the end of its output."""
    feedback = feedback or {}
    error = text_of(feedback, output)
    told = f"{feedback.get('error_type') or ''}\n{feedback.get('error') or ''}"
    signature = _find(told) or _find(output or "")
    if signature:
        return Failure(signature.cause, f"{signature.id} {signature.title}", error)
    return Failure(_cause_by_origin(feedback), _general(error), error)


def text_of(feedback: Mapping[str, Any], output: str | None) -> str:
    """Return what went wrong in one line; the last line of the output when the feedback has nothing."""
    written = str(feedback.get("error") or "").strip()
    lines = (written or (output or "").strip()).splitlines()
    line = (lines[0] if written else lines[-1]) if lines else str(feedback.get("error_type") or "")
    return line[:ERROR_LENGTH]


def _find(text: str) -> Signature | None:
    return next((signature for signature in SIGNATURES if signature.pattern.search(text)), None)


def _cause_by_origin(feedback: Mapping[str, Any]) -> Cause:
    """Tell the worker's own trouble from that of the work in it."""
    if feedback.get("container_exit_code") in (-1, -2, 137):
        return Cause.SERVER
    match feedback.get("error_origin"):
        case "worker_wrapper":
            return Cause.SERVER
        case "container" if feedback.get("error_type") not in (None, "", "UNKNOWN"):
            return Cause.PROJECT
        case _:
            return Cause.UNKNOWN


def _general(error: str) -> str:
    """Return an error without what is particular to one job."""
    return PARTICULARS.sub("…", error)[:80].strip() or "no reason given"
