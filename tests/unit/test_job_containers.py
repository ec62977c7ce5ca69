"""Containers of jobs bear the labels of the service whose image they use: they are no services of the deployment."""

from __future__ import annotations

import json

from qfc.drivers.docker.snapshot import parse

#: As a real v26.24 has them; ids and names replaced.
OF_JOB = {
    "app": "production_worker",
    "job_id": "6f1d7b2e-0000-4000-8000-000000000001",
    "project_id": "9ab00000-0000-4000-8000-000000000002",
    "type": "package",
    "com.docker.compose.project": "qfieldcloud",
    "com.docker.compose.service": "qgis3",
    "com.docker.compose.version": "2.26.1",
}
OF_SERVICE = {
    "com.docker.compose.project": "qfieldcloud",
    "com.docker.compose.service": "qgis3",
    "com.docker.compose.container-number": "1",
}


def inspected(name: str, labels: dict[str, str]) -> str:
    at = "2026-11-29T22:00:00Z"
    state = {"Status": "exited", "Pid": 0, "StartedAt": at, "FinishedAt": at, "ExitCode": 137, "OOMKilled": False}
    document = {"Id": name, "Name": f"/{name}", "Image": "sha256:1", "State": state, "Created": at, "RestartCount": 0,
                "Config": {"Image": "qfieldcloud-qgis3", "Labels": labels},
                "HostConfig": {"RestartPolicy": {"Name": ""}, "NetworkMode": "qfieldcloud_default"},
                "NetworkSettings": {"Networks": {}, "Ports": {}}}  # fmt: skip
    return f"0 {json.dumps(document)}"


def test_a_container_of_a_job_is_no_instance_of_the_service_of_its_image() -> None:
    lines = ("@time 1796000000", "@containers", inspected("qgis3-1", OF_SERVICE), inspected("busy_turing", OF_JOB))
    assert [one.name for one in parse("\n".join(lines)).containers] == ["qgis3-1"]
