"""Every known kind of failed job: first what a release of 2026 refuses by name, then those of `signatures`."""

from __future__ import annotations

from .signatures import RETRY, SIGNATURES, Cause, signature

#: Refused by the engine, the network, QGIS, or the API. Each pattern is more specific than those of `signatures`.
REFUSED = (
    signature(
        "D13",
        "the Docker engine refuses the worker, which is too old for it",
        Cause.SERVER,
        r"client version \S+ is too old",
        f"Upgrade the worker's image, or set DOCKER_MIN_API_VERSION in the environment of the host's dockerd; {RETRY}",
    ),
    signature(
        "A14",
        "the QGIS image is for another processor",
        Cause.SERVER,
        r"exec format error|does not match the detected host platform",
        f"Load or build the image for the host's processor: qfc image rebuild; {RETRY}",
    ),
    signature(
        "C01",
        "the name host.docker.internal does not exist on Linux",
        Cause.SERVER,
        r"host\.docker\.internal",
        f"Use the address of Docker's bridge (172.17.0.1) in STORAGES; then: qfc services recreate; {RETRY}",
    ),
    signature(
        "B06-name",
        "the job cannot resolve the server's name",
        Cause.SERVER,
        r"Failed to resolve '|NameResolutionError|Could not resolve host",
        f"Give nginx a network alias with the server's name, or correct the DNS (see: qfc doctor); {RETRY}",
    ),
    signature(
        "B06-refused",
        "the job cannot connect to the server",
        Cause.SERVER,
        r"Max retries exceeded with url: \S*/api/v1/|Failed to establish a new connection",
        f"Test QFIELDCLOUD_WORKER_QFIELDCLOUD_URL from the workers' network, then: qfc doctor; {RETRY}",
    ),
    signature(
        "F05-twice",
        "several features have the key of an edited one, which ends the whole job",
        Cause.PROJECT,
        r"More than one feature match",
        "Make the key unique in the layer's data, and upload the project; then: qfc deltas reapply --project PROJECT",
    ),
    signature(
        "H07-restricted",
        "the project's files are restricted to its managers",
        Cause.CLIENT,
        r"restricted_project_modification",
        "Have a manager of the project do it, or clear its restriction in the admin",
    ),
    signature(
        "F10-template",
        "the project is a template",
        Cause.CLIENT,
        r"operation_not_allowed_for_template_project",
        "Create a project from the template and work in that, or make it a regular project in the admin",
    ),
    signature(
        "E13",
        "a project of shared datasets holds a project file",
        Cause.PROJECT,
        r"qgis_project_file_not_allowed",
        "Ask the project's owner to upload the .qgs or .qgz file to another project",
    ),
    signature(
        "E12-form",
        "the project could not be created from its form",
        Cause.PROJECT,
        r"^UNABLE_TO_CONTINUE$|Unable to continue workflow",
        "Ask the project's owner to correct the XLSForm, and create the project again; what is wrong: qfc jobs show ID",
    ),
)
JOB_SIGNATURES = (*REFUSED, *SIGNATURES)
