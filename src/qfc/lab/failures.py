"""Jobs that failed recently, by reason, as workers of official servers record it."""

from __future__ import annotations

from dataclasses import dataclass

from .base import Fault, RowFault, Scene


@dataclass(frozen=True)
class FailedJobs(RowFault):
    """Three jobs that failed for the same reason. `error` and `error_type` are values of their feedback."""

    error: str = ""
    error_type: str = "UNKNOWN"
    output: str = ""
    code: int = 1
    type: str = "package"

    def fill(self, scene: Scene) -> None:
        """Create the jobs."""
        project = scene.project()
        feedback = {"error": self.error, "error_type": self.error_type, "error_origin": "container",
                    "container_exit_code": self.code}  # fmt: skip
        for minutes in (50, 35, 20):
            scene.rows.job(project, "failed", type=self.type, made_at=scene.before(minutes),
                           started_at=scene.before(minutes - 1), ended_at=scene.before(minutes - 2),
                           feedback=feedback, output=self.output or None)  # fmt: skip


@dataclass(frozen=True)
class FailedProject(RowFault):
    """A project that counts as failed although nothing is wrong with it."""

    def fill(self, scene: Scene) -> None:
        """Create the project, and the job that failed because of the server."""
        project = scene.project(project_details=None, problem="It could not be read.")
        feedback = {"error": "Job unexpectedly terminated.", "error_type": "WORKER_DIED"}
        scene.rows.job(project, "failed", type="process_projectfile", made_at=scene.before(30),
                       started_at=scene.before(29), ended_at=scene.before(28), feedback=feedback)  # fmt: skip


def _failed(id: str, title: str, check: str, error: str, error_type: str = "UNKNOWN", *, code: int = 1) -> FailedJobs:
    return FailedJobs(id, title, (f"{check}-jobs",), error=error, error_type=error_type, code=code)


SERVER_ERROR = 'Requested "http://app:8000/api/v1/files/1/a.gpkg" and got "500 Internal Server Error"'
FAILURES: tuple[Fault, ...] = (
    _failed("jobs-timed-out", "Jobs reach the time limit", "D04",
            "Worker timeout error. The job failed to finish within 600 seconds!", "TIMEOUT", code=-1),
    _failed("jobs-out-of-memory", "Jobs are killed for lack of memory", "D05", "Docker engine sigkill.",
            "DOCKER_ENGINE_SIGKILL", code=137),
    _failed("jobs-without-network", "Jobs fail: the network of the workers does not exist", "D01",
            '404 Client Error: Not Found ("network qfc-lab_default not found")'),
    _failed("jobs-without-image", "Jobs fail: the QGIS image is missing", "D02",
            "pull access denied for qfc-lab-qgis, repository does not exist"),
    _failed("jobs-of-different-releases", "Jobs fail: application and QGIS image are from different releases", "D03",
            "[Errno 2] No such file or directory: '/tmp/tmpqfclab/thumbnail.png'", "FILE_NOT_FOUND"),
    _failed("jobs-without-temporary-folder", "Jobs fail: the temporary folder is not shared", "D10",
            "[Errno 2] No such file or directory: '/tmp/tmpqfclab/feedback.json'", "FILE_NOT_FOUND"),
    _failed("jobs-lose-their-worker", "Workers die during their jobs", "D08", "Job unexpectedly terminated.",
            "WORKER_DIED", code=-2),
    _failed("jobs-without-storage", "Jobs fail: the file store cannot be reached", "C00",
            "Could not connect to the endpoint URL: http://minio:9000/", "STORAGE"),
    _failed("jobs-past-nginx", "Jobs fail: the API answers workers with an internal error", "B06", SERVER_ERROR,
            "API_INTERNAL_SERVER_ERROR"),
    _failed("jobs-too-big-for-nginx", "Jobs fail: a file is too large for a proxy", "B13",
            "413 Request Entity Too Large", "API_OTHER"),
    _failed("jobs-with-expired-token", "Jobs fail: their token has expired", "G10", "token_authentication_failed",
            "API_TOKEN_EXPIRED"),
    _failed("jobs-of-inactive-accounts", "Jobs fail: the subscription is inactive", "H01", "inactive_subscription",
            "API_FORBIDDEN"),
    _failed("jobs-over-quota", "Jobs fail: the storage quota is used up", "H03", "over_quota",
            "API_PAYMENT_REQUIRED"),
    _failed("jobs-of-another-qgis", "Jobs fail: the project needs another version of QGIS", "E01",
            "Unsupported QGIS major version 4"),
    _failed("jobs-without-their-files", "Jobs fail: a layer's file is missing", "E02",
            "Error code invalid_dataprovider, error message: File 'trees.gpkg' missing.", "FILE_NOT_FOUND"),
    _failed("jobs-without-their-database", "Jobs fail: an external database cannot be reached", "E03",
            'Unable to connect to host "localhost"'),
    _failed("jobs-of-broken-projects", "Jobs fail: the project file is not valid XML", "E12",
            "Project file is an invalid XML document", "INVALID_PROJECT_FILE"),
    _failed("jobs-of-a-reordered-geopackage", "Jobs fail: the primary key of a layer has changed", "F04",
            'The modified feature pk value does not match "sourcePk"'),
    _failed("jobs-with-lost-logs", "Jobs fail, and their logs are lost", "D15",
            "[QFC/Worker/1001] Failed to read logs."),
    _failed("jobs-without-files-on-the-worker", "Jobs fail: the worker does not see the downloaded files", "D16",
            'Local files list for project "qfc-lab": empty!'),
    _failed("jobs-by-another-port", "Jobs fail: downloads use a port that the application does not expect", "B05",
            "Expected to either run behind nginx proxy, debug mode or within a test suite."),
    _failed("jobs-without-trust", "Jobs fail: the certificate of another server is not trusted", "B12",
            "[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed"),
    _failed("jobs-refused-by-their-database", "Jobs fail: an external database refuses the worker's address", "E04",
            "FATAL: no pg_hba.conf entry for host 172.18.0.5"),
    _failed("jobs-without-password", "Jobs fail: an external database requires a password", "E05",
            "fe_sendauth: no password supplied"),
    _failed("jobs-without-project-file", "Jobs fail: the project has no project file", "E09", "no_qgis_project"),
    _failed("jobs-of-several-project-files", "Jobs fail: the project has several project files", "E11",
            "multiple_projects"),
    _failed("jobs-beyond-their-plan", "Jobs fail: the plan does not allow external databases", "H02",
            "permission_denied_plan_insufficient", "API_FORBIDDEN"),
    _failed("jobs-forbidden", "Jobs fail: the API refuses the worker", "D14-403", "403", "API_FORBIDDEN"),
    _failed("jobs-of-gone-projects", "Jobs fail: the API does not find their project or file", "D14-404", "404",
            "API_NOT_FOUND"),
    _failed("jobs-behind-a-bad-gateway", "Jobs fail: something between worker and API does not work", "D14-other",
            "502", "API_OTHER"),
    _failed("jobs-without-names", "Jobs fail: names of other services do not resolve", "A11",
            "[Errno -2] Name or service not known"),
    _failed("jobs-of-unknown-reasons", "Jobs fail for an unknown reason", "D14",
            "segmentation fault in libfoo"),
    FailedJobs("jobs-killed-at-an-upload", "Jobs fail: uploading a large file takes too much memory", ("C11-jobs",),
               error="Killed", output='Uploading file "relief.tif"...', code=137),
    FailedProject("project-failed-by-the-server", "A project counts as failed because of a server fault", ("E09",)),
)  # fmt: skip
