"""Failed jobs and edits that are not in the data: reported by their reason until one of the kind succeeds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from checks_world import DRY, found, healthy, ids, the
from qfc.checks.failed import FAILED, EditsFailed, JobsFailed
from qfc.errors import CommandError
from qfc.stack.findings import Result
from qfc.stack.model import JobStatus

#: Remains of real servers' workers, by the check that must recognise them.
FEEDBACK: dict[str, dict[str, Any]] = {
    "D01-jobs": {"error": '404 Client Error: Not Found ("network qfieldcloud_default not found")'},
    "D02-jobs": {"error": "pull access denied for qfieldcloud-qgis, repository does not exist"},
    "D03-jobs": {"error": "[Errno 2] No such file or directory: '/tmp/tmpabc123/thumbnail.png'"},
    "D04-jobs": {"error": "Worker timeout error.", "error_type": "TIMEOUT", "container_exit_code": -1},
    "D05-jobs": {"error": "Docker engine sigkill.", "error_type": "DOCKER_ENGINE_SIGKILL"},
    "D08-jobs": {"error": "Job unexpectedly terminated.", "container_exit_code": -2},
    "D10-jobs": {"error": "[Errno 2] No such file or directory: '/tmp/tmpabc123/feedback.json'"},
    "D15-jobs": {"error": "[QFC/Worker/1001] Failed to read logs."},
    "D16-jobs": {"error": 'Local files list for project "x": empty!'},
    "B05-jobs": {"error": "Expected to either run behind nginx proxy, debug mode or within a test suite."},
    "B06-jobs": {"error": 'Requested "http://app:8000/api/v1/files/" and got "500 Internal Server Error"'},
    "B12-jobs": {"error": "[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed"},
    "B13-jobs": {"error": "413 Request Entity Too Large"},
    "E01-jobs": {"error": "Unsupported QGIS major version: 4"},
    "E02-jobs": {"error": "invalid_dataprovider"},
    "E03-jobs": {"error": 'Unable to connect to host "localhost"'},
    "E04-jobs": {"error": "FATAL: no pg_hba.conf entry for host 172.18.0.5"},
    "E05-jobs": {"error": "fe_sendauth: no password supplied"},
    "E09-jobs": {"error": "no_qgis_project"},
    "E11-jobs": {"error": "multiple_projects"},
    "E12-jobs": {"error": "Project file is an invalid XML document", "error_type": "INVALID_PROJECT_FILE"},
    "F04-jobs": {"error": 'The modified feature pk value does not match "sourcePk"'},
    "G10-jobs": {"error_type": "API_TOKEN_EXPIRED", "error": "401"},
    "H01-jobs": {"error": "inactive_subscription", "error_type": "API_FORBIDDEN"},
    "H02-jobs": {"error": "permission_denied_plan_insufficient", "error_type": "API_FORBIDDEN"},
    "H03-jobs": {"error": "over_quota", "error_type": "API_PAYMENT_REQUIRED"},
    "D14-403-jobs": {"error_type": "API_FORBIDDEN", "error": "403"},
    "D14-404-jobs": {"error_type": "API_NOT_FOUND", "error": "404"},
    "D14-other-jobs": {"error_type": "API_OTHER", "error": "502"},
    "C00-jobs": {"error": 'Could not connect to the endpoint URL: "http://minio:9000/b"', "error_type": "STORAGE"},
    "C11-jobs": {"error": "Killed", "output": 'Uploading file "relief.tif"...'},
    "D13-jobs": {"error": "client version 1.39 is too old. Minimum supported API version is 1.44"},
    "A14-jobs": {"error": "exec /usr/bin/python3: exec format error"},
    "C01-jobs": {"error": 'Could not connect to the endpoint URL: "http://host.docker.internal:8009/files"'},
    "B06-name-jobs": {"error": "Failed to resolve 'field.example.org' ([Errno -2] Name or service not known)"},
    "B06-refused-jobs": {"error": "Max retries exceeded with url: /api/v1/files/1/ (Caused by NewConnectionError())"},
    "F05-twice-jobs": {"error": "More than one feature match the feature select query", "error_type": "UNKNOWN"},
    "H07-restricted-jobs": {"error": '{"code":"restricted_project_modification"}', "error_type": "API_FORBIDDEN"},
    "F10-template-jobs": {"error": '{"code":"operation_not_allowed_for_template_project"}'},
    "E13-jobs": {"error": '{"code":"qgis_project_file_not_allowed"}'},
    "E12-form-jobs": {"error": "Unable to continue workflow: no form", "error_type": "UNABLE_TO_CONTINUE"},
    "A11-jobs": {"error": "[Errno -2] Name or service not known", "error_origin": "worker_wrapper"},
}  # fmt: skip
EDITS = {
    "F01-edits": "Unable to find feature",
    "F02-edits": 'No layer with id "trees_1"',
    "F03-edits": "There are conflicts with the already existing feature!",
    "F05-key-edits": "Composite (multi-column) primary keys are not supported!",
    "F05-commit-edits": "Failed to commit changes",
    "F05-edit-edits": "Cannot start editing layer",
    "F02-invalid-edits": 'Invalid layer "trees_1"',
    "F05-twice-edits": "More than one feature match the feature select query",
    "F05-added-edits": "Expected only one feature, but actually 2 were added.",
    "malformed-shape-edits": "Empty WKT string!",
    "F05-damaged-edits": "the file is damaged",
    "E03-edits": "Connection to database failed",
    "D08-edits": "Job unexpectedly terminated",
    "malformed-edits": "This delta cannot be read",
}


@pytest.mark.parametrize("id", FEEDBACK)
def test_failed_jobs_are_told_by_their_reason_until_one_goes_well(id: str) -> None:
    ports, world = healthy()
    project = world.project("surveyed")
    world.job(project, "failed", type="package", started=30, ended=29, feedback=FEEDBACK[id])
    assert ids(found(ports)) == [id]
    assert "1 in alice/surveyed" in the(found(ports), id).evidence
    world.job(project, "finished", type="package", started=5, ended=4)
    assert found(ports).findings == ()
    world.job(project, "failed", type="package", started=2, ended=1, feedback=FEEDBACK[id])
    assert ids(found(ports)) == [id]


def test_every_reason_has_a_check_and_every_check_a_test() -> None:
    jobs = {check.id for check in FAILED if isinstance(check, JobsFailed)}
    assert jobs == set(FEEDBACK)
    edits = {check.id for check in FAILED if isinstance(check, EditsFailed)}
    assert edits == set(EDITS)


def test_a_reason_that_is_not_known() -> None:
    ports, world = healthy()
    world.job(world.project("odd"), "failed", started=5, ended=4, feedback={"error": "segfault in libfoo"})
    assert ids(found(ports)) == ["D14-jobs"]


@pytest.mark.parametrize("id", EDITS)
def test_edits_are_told_by_their_reason(id: str) -> None:
    ports, world = healthy()
    delta = world.delta(world.project("edited"), "conflict" if id == "F03-edits" else "not_applied")
    rows = ports.jobs.delta_rows
    rows[delta] = replace(rows[delta], feedback={"msg": EDITS[id]})
    assert id in ids(found(ports))
    assert "1 by " in the(found(ports), id).evidence
    assert "alice/edited" in the(found(ports), id).evidence


class Constance:
    """The application's command for its settings."""

    def __init__(self, **values: str) -> None:
        self.values = values

    def __call__(self, service: str, argv: Sequence[str], stdin: bytes) -> str:
        del stdin
        if service != "app" or argv[0] != "constance":
            raise CommandError(f"{argv[0]} is not known")
        if argv[1] == "set":
            self.values[argv[2]] = argv[3]
        return self.values[argv[2]] + "\n"


@pytest.mark.parametrize(
    ("id", "setting", "now", "then"),
    [("D04-jobs", "WORKER_TIMEOUT_S", "600", "1200"), ("D05-jobs", "WORKER_QGIS_MEMORY_LIMIT", "1000m", "2000m")],
)
def test_a_limit_is_doubled_after_a_question_and_the_job_tried_again(
    id: str, setting: str, now: str, then: str
) -> None:
    ports, world = healthy("compose")
    ports.runtime.execute_with = constance = Constance(**{setting: now})
    job = world.job(world.project("big"), "failed", type="package", started=5, ended=4, feedback=FEEDBACK[id])
    planned = found(ports, fix=True, options=DRY)
    assert f"{setting}: {now} → {then}" in "".join(planned.steps)
    assert constance.values == {setting: now}
    assert the(found(ports, fix=True), id).result is Result.FIXED
    assert constance.values == {setting: then}
    assert ports.jobs.job(job).status is JobStatus.PENDING


def test_workers_that_pass_nginx_by_are_told_the_public_address() -> None:
    ports, world = healthy("compose")
    ports.deployment.site.env += "QFIELDCLOUD_WORKER_QFIELDCLOUD_URL=http://app:8000/api/v1/\n"
    ports.api.url = "http://field.example.org"
    job = world.job(world.project("p"), "failed", type="package", started=5, ended=4, feedback=FEEDBACK["B06-jobs"])
    assert "QFIELDCLOUD_URL is http://app:8000/api/v1/." in the(found(ports), "B06-jobs").evidence
    assert the(found(ports, fix=True), "B06-jobs").result is Result.FIXED
    assert ports.deployment.settings.values()["QFIELDCLOUD_WORKER_QFIELDCLOUD_URL"] == (
        "https://field.example.org/api/v1/"
    )
    assert ports.jobs.job(job).status is JobStatus.PENDING
