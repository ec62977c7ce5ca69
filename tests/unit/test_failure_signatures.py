"""Explanations of failed jobs, from texts of real servers."""

from __future__ import annotations

import importlib
import re
from datetime import UTC, datetime

import click
import pytest

from qfc.stack.delta_signatures import DELTA_SIGNATURES, IN_DOUBT
from qfc.stack.failures import ERROR_LENGTH, UNKNOWN_DELTA_FIX, UNKNOWN_FIX, classify, classify_delta, text_of
from qfc.stack.job_signatures import JOB_SIGNATURES
from qfc.stack.model import Delta
from qfc.stack.signatures import Cause, Signature

MISSING_IMAGE = (
    "500 Server Error for http+docker://localhost/v1.43/images/create?tag=latest&fromImage=qfieldcloud-qgis: Internal "
    'Server Error ("Get "https://registry-1.docker.io/v2/": dial tcp: lookup registry-1.docker.io: no such host")'
)
OF_THE_APPLICATION = (
    'Requested "http://app:8000/api/v1/files/4ad2fe27/survey.qgs/" and got "500 Internal Server Error": '
    '{"code": "unknown_error", "message": "QFieldcloud Unknown Error"}'
)
UNRESOLVED = (
    "HTTPSConnectionPool(host='field.example.org', port=443): Max retries exceeded with url: /api/v1/files/1/ "
    "(Caused by NameResolutionError(\"Failed to resolve 'field.example.org' ([Errno -2] Name or service not known)\"))"
)
REFUSED = (
    "HTTPConnectionPool(host='app', port=8000): Max retries exceeded with url: /api/v1/files/1/ (Caused by "
    'NewConnectionError("Failed to establish a new connection: [Errno 111] Connection refused"))'
)
NO_SECRET = "Available user defined environment variables: []\nfe_sendauth: no password supplied"

CASES = [
    ({"error": "Worker timeout error.", "error_type": "TIMEOUT", "container_exit_code": -1}, "D04", Cause.SERVER),
    ({"error": "Docker engine sigkill.", "error_type": "DOCKER_ENGINE_SIGKILL"}, "D05", Cause.SERVER),
    ({"error": "Job unexpectedly terminated.", "error_origin": "worker_wrapper"}, "D08", Cause.SERVER),
    ({"error": '404 Client Error: Not Found ("network qfieldcloud_default not found")'}, "D01", Cause.SERVER),
    ({"error": "pull access denied for qfieldcloud-qgis, repository does not exist"}, "D02", Cause.SERVER),
    ({"error": "[Errno 2] No such file or directory: '/tmp/tmpab1/feedback.json'"}, "D10", Cause.SERVER),
    ({"error": "boom", "error_type": "API_INTERNAL_SERVER_ERROR", "error_origin": "container"}, "B06", Cause.SERVER),
    ({"error": "no", "error_type": "API_FORBIDDEN", "error_origin": "container"}, "D14-403", Cause.CLIENT),
    ({"error": "full", "error_type": "API_PAYMENT_REQUIRED"}, "H03", Cause.CLIENT),
    ({"error": "not XML", "error_type": "INVALID_PROJECT_FILE", "error_origin": "container"}, "E12", Cause.PROJECT),
    ({"error": "The job did not finish within 600 seconds.", "error_type": "TIMEOUT"}, "D04", Cause.SERVER),
    ({"error": "The job needed more memory than its limit.", "error_type": "OUT_OF_MEMORY"}, "D05", Cause.SERVER),
    ({"error": "tried 3 times", "error_type": "WORKER_DIED", "error_origin": "worker_wrapper"}, "D08", Cause.SERVER),
    ({"error": "[Errno 2] No such file or directory: '/tmp/tmpab1/thumbnail.png'"}, "D03", Cause.SERVER),
    ({"error": MISSING_IMAGE, "error_origin": "worker_wrapper"}, "D02", Cause.SERVER),
    ({"error": "[QFC/Worker/1001] Failed to read logs."}, "D15", Cause.SERVER),
    ({"error": 'Local files list for project "4ad2fe27": empty!'}, "D16", Cause.SERVER),
    ({"error": "The job's process was killed, probably for lack of memory.", "error_type": "KILLED"}, "D05",
     Cause.SERVER),
    ({"error": "SSLError(SSLCertVerificationError(1, '[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed'))"},
     "B12", Cause.SERVER),
    ({"error": "<html><h1>413 Request Entity Too Large</h1></html>", "error_type": "API_OTHER"}, "B13", Cause.SERVER),
    ({"error": OF_THE_APPLICATION, "error_type": "API_INTERNAL_SERVER_ERROR"}, "B06", Cause.SERVER),
    ({"error": 'Read timeout on endpoint URL: "None"', "error_type": "API_INTERNAL_SERVER_ERROR"}, "C00", Cause.SERVER),
    ({"error": "[Errno -2] Name or service not known", "error_origin": "worker_wrapper"}, "A11", Cause.SERVER),
    ({"error": "Unsupported QGIS major version: 4"}, "E01", Cause.SERVER),
    ({"error": '{"code":"inactive_subscription","message":"Permission denied"}', "error_type": "API_FORBIDDEN"}, "H01",
     Cause.SERVER),
    ({"error": '{"code":"permission_denied_plan_insufficient"}', "error_type": "API_FORBIDDEN"}, "H02", Cause.SERVER),
    ({"error": '{"code":"over_quota","message":"Quota error"}', "error_type": "API_PAYMENT_REQUIRED"}, "H03",
     Cause.CLIENT),
    ({"error": "expired", "error_type": "API_TOKEN_EXPIRED"}, "G10", Cause.SERVER),
    ({"error": "gone", "error_type": "API_NOT_FOUND"}, "D14-404", Cause.CLIENT),
    ({"error": "502 Bad Gateway", "error_type": "API_OTHER"}, "D14-other", Cause.SERVER),
    ({"error": "no survey.qgs", "error_type": "FILE_NOT_FOUND"}, "E02", Cause.PROJECT),
    ({"error": "Error code invalid_dataprovider, error message: File 'trees.gpkg' missing."}, "E02", Cause.PROJECT),
    ({"error": 'Unable to connect to host "localhost"'}, "E03", Cause.PROJECT),
    ({"error": 'FATAL: no pg_hba.conf entry for host "172.18.0.5"'}, "E04", Cause.PROJECT),
    ({"error": NO_SECRET.splitlines()[0]}, "E05", Cause.PROJECT),
    ({"error": NO_SECRET.splitlines()[1]}, "E05", Cause.PROJECT),
    ({"error": "Project file is an invalid XML document"}, "E12", Cause.PROJECT),
    ({"error": '400 Client Error: client version 1.39 is too old. Minimum supported API version is 1.44'}, "D13",
     Cause.SERVER),
    ({"error": "exec /usr/bin/python3: exec format error"}, "A14", Cause.SERVER),
    ({"error": 'Could not connect to the endpoint URL: "http://host.docker.internal:8009/files"'}, "C01", Cause.SERVER),
    ({"error": UNRESOLVED, "error_type": "UNKNOWN", "error_origin": "container"}, "B06-name", Cause.SERVER),
    ({"error": REFUSED, "error_type": "UNKNOWN", "error_origin": "container"}, "B06-refused", Cause.SERVER),
    ({"error": "More than one feature match the feature select query", "error_type": "UNKNOWN"}, "F05-twice",
     Cause.PROJECT),
    ({"error": '{"code":"restricted_project_modification"}', "error_type": "API_FORBIDDEN"}, "H07-restricted",
     Cause.CLIENT),
    ({"error": '{"code":"operation_not_allowed_for_template_project"}', "error_type": "API_OTHER"}, "F10-template",
     Cause.CLIENT),
    ({"error": '{"code":"qgis_project_file_not_allowed"}', "error_type": "API_OTHER"}, "E13", Cause.PROJECT),
    ({"error": '{"code":"invalid_qgis_project_file"}', "error_type": "API_OTHER"}, "E12", Cause.PROJECT),
    ({"error": "Unable to continue workflow:\nno form", "error_type": "UNABLE_TO_CONTINUE"}, "E12-form", Cause.PROJECT),
]  # fmt: skip


@pytest.mark.parametrize(("feedback", "signature", "cause"), CASES)
def test_known_failures(feedback: dict[str, object], signature: str, cause: Cause) -> None:
    found = classify(feedback, None)
    assert found.signature.split()[0] == signature
    assert found.cause is cause


def test_the_output_tells_what_the_feedback_does_not() -> None:
    found = classify(None, "Starting…\nTimeout error! The job failed to finish within 600 seconds!")
    assert found.signature.startswith("D04")
    assert found.error.startswith("Timeout error!")


def test_what_the_feedback_says_comes_before_the_output() -> None:
    found = classify({"error_type": "TIMEOUT", "error": "Worker timeout error."}, "layer x: invalid_dataprovider")
    assert found.signature.startswith("D04")


def test_an_unknown_failure_keeps_its_words_without_particulars() -> None:
    feedback = {"error": "cannot open '/io/a1/x.gpkg' at 12", "error_type": "UNKNOWN", "error_origin": "container"}
    found = classify(feedback, None)
    other = classify({**feedback, "error": "cannot open '/io/b2/y.gpkg' at 99"}, None)
    assert found.signature == other.signature == "cannot open … at …"
    assert found.cause is Cause.UNKNOWN


def test_the_wrapper_is_the_server() -> None:
    assert classify({"error": "strange", "error_origin": "worker_wrapper"}, None).cause is Cause.SERVER


@pytest.mark.parametrize("feedback", [None, {}, {"error": None}, {"error": 3}, {"error_type": 1}])
def test_nothing_is_told(feedback: dict[str, object] | None) -> None:
    assert classify(feedback, None).cause is Cause.UNKNOWN


def test_a_big_file_that_ends_a_worker_is_told_from_other_deaths() -> None:
    found = classify({"error_type": "UNKNOWN"}, 'Uploading file "ortho.tif"…\nKilled')
    assert found.signature.startswith("C11")
    assert classify(None, "Job has been cancelled by parent process!").signature.startswith("D05")


KEY = "Composite (multi-column) primary keys are not supported!"
NO_KEY = 'The layer "trees" neither has a primary key, nor an attribute fid'
FEATURE = "Unable to find feature"
DELTAS = [
    ("not_applied", {"msg": FEATURE, "provider_errors": None}, "F01", Cause.PROJECT),
    ("not_applied", {"msg": 'No layer with id "trees_c07ac20e"'}, "F02", Cause.PROJECT),
    ("conflict", {"msg": "There are conflicts with the already existing feature!"}, "F03", Cause.CLIENT),
    ("conflict", None, "F03", Cause.CLIENT),
    ("not_applied", {"msg": KEY}, "F05-key", Cause.PROJECT),
    ("not_applied", {"msg": NO_KEY}, "F05-key", Cause.PROJECT),
    ("not_applied", {"msg": "Comma in field name: a,b"}, "F05-key", Cause.PROJECT),
    ("not_applied", {"msg": 'Cannot start editing layer "trees"'}, "F05-edit", Cause.PROJECT),
    ("not_applied", {"msg": "Failed to commit changes", "provider_errors": ["null value in column"]}, "F05-commit",
     Cause.PROJECT),
    ("not_applied", {"msg": "The database refused the edit: value too long"}, "F05-commit", Cause.PROJECT),
    ("error", {"msg": '[HTTP/402] {"code":"over_quota","message":"Quota error"}'}, "F08", Cause.CLIENT),
    ("unpermitted", {"msg": "A reporter is not permitted to change features."}, "F10", Cause.CLIENT),
    ("unpermitted", None, "F10", Cause.CLIENT),
    ("error", None, "in-doubt", Cause.SERVER),
    ("error", {"in_doubt": True, "msg": "The worker died after files had changed."}, "in-doubt", Cause.SERVER),
    ("pending", {"msg": "The job was started 3 times and its worker died each time."}, "D08", Cause.SERVER),
    ("error", {"msg": "The delta cannot be read: no method"}, "malformed", Cause.CLIENT),
    ("error", {"msg": "The job did not finish within 600 seconds.", "e_type": "TIMEOUT"}, "D04", Cause.SERVER),
    ("not_applied", {"msg": 'Invalid layer "trees_c07ac20e"'}, "F02-invalid", Cause.PROJECT),
    ("not_applied", {"msg": "Expected layer relief to be a vector layer!"}, "F05-edit", Cause.PROJECT),
    ("error", {"msg": "More than one feature match the feature select query"}, "F05-twice", Cause.PROJECT),
    ("not_applied", {"msg": "Unable to create a valid feature"}, "F05-commit", Cause.PROJECT),
    ("not_applied", {"msg": "Unable to add new feature", "provider_errors": ["no"]}, "F05-commit", Cause.PROJECT),
    ("not_applied", {"msg": "Unable to change geometry"}, "F05-commit", Cause.PROJECT),
    ("not_applied", {"msg": 'Unable to change attribute "height"'}, "F05-commit", Cause.PROJECT),
    ("not_applied", {"msg": "Unable delete feature"}, "F05-commit", Cause.PROJECT),
    ("not_applied", {"msg": "Empty WKT string!"}, "malformed-shape", Cause.CLIENT),
    ("not_applied", {"msg": "Null geometry from wkt='POINT('"}, "malformed-shape", Cause.CLIENT),
    ("not_applied", {"msg": "Expected only one feature, but actually 2 were added."}, "F05-added", Cause.PROJECT),
    ("not_applied", {"msg": "Unknown delta method"}, "malformed", Cause.CLIENT),
]  # fmt: skip


def delta(status: str, feedback: dict[str, object] | None) -> Delta:
    moment = datetime(2026, 5, 4, tzinfo=UTC)
    return Delta("d", "f", "p", "alice/survey", status, "patch", "trees", "alice", moment, moment, feedback=feedback)


@pytest.mark.parametrize(("status", "feedback", "signature", "cause"), DELTAS)
def test_why_an_edit_is_not_there(
    status: str, feedback: dict[str, object] | None, signature: str, cause: Cause
) -> None:
    found = classify_delta(delta(status, feedback))
    assert found is not None
    assert (found.signature.split()[0], found.cause) == (signature, cause)
    assert found.fix


def test_an_edit_that_arrived_or_waits_needs_no_reason() -> None:
    assert classify_delta(delta("applied", {"msg": FEATURE})) is None
    assert classify_delta(delta("pending", None)) is None


def test_an_unknown_reason_keeps_its_words() -> None:
    found = classify_delta(delta("not_applied", {"msg": "The moon is in the wrong house 7"}))
    assert found is not None
    assert (found.signature, found.cause) == ("The moon is in the wrong house …", Cause.UNKNOWN)


@pytest.mark.parametrize("signatures", [JOB_SIGNATURES, (*DELTA_SIGNATURES, IN_DOUBT)])
def test_ids_are_unique(signatures: tuple[Signature, ...]) -> None:
    assert len({signature.id for signature in signatures}) == len(signatures)


FIXES = [UNKNOWN_FIX, UNKNOWN_DELTA_FIX, *(one.fix for one in (*JOB_SIGNATURES, *DELTA_SIGNATURES, IN_DOUBT))]
COMMAND = re.compile(r"qfc ([a-z]+)((?: (?:--)?[a-z_]+| [A-Z]+)*)")


@pytest.mark.parametrize("fix", FIXES)
def test_every_fix_names_commands_and_options_that_exist(fix: str) -> None:
    for name, rest in COMMAND.findall(fix):
        command = importlib.import_module(f"qfc.cli.{name}").command
        words = rest.split()
        if isinstance(command, click.Group) and not words[0].startswith("--"):
            assert words[0] in command.commands, fix
            command = command.commands[words[0]]
        known = {option for parameter in command.params for option in parameter.opts}
        assert {word for word in words if word.startswith("--")} <= known, fix


@pytest.mark.parametrize(
    ("feedback", "output", "line"),
    [
        ({"error": " the layer is gone\nTraceback\n  more", "error_type": "E"}, "log", "the layer is gone"),
        ({"error_type": "E"}, "began\nopened\nthe disk is full\n\n", "the disk is full"),
        ({"error": " ", "error_type": "MISSING_FILE"}, " \n", "MISSING_FILE"),
        ({}, None, ""),
        ({"error": "x" * (ERROR_LENGTH + 1)}, None, "x" * ERROR_LENGTH),
    ],
)
def test_a_failure_is_reported_in_one_line(feedback: dict[str, str], output: str | None, line: str) -> None:
    """Messages begin with the fault, logs end with it."""
    assert text_of(feedback, output) == line
