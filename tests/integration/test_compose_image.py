"""The image that official workers start for each job: missing, saved, damaged, loaded, built; then retried jobs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from compose_world import DeployedStack, Deployment, as_stack, running_deployment
from engines_of_docker import DockerHost
from queue_world import DatabaseWorld

pytestmark = pytest.mark.docker
OVERRIDE = """
services:
  qgis:
    build: ./qgis
    image: ${COMPOSE_PROJECT_NAME}-qgis
    command: "true"
"""
MISSING = {"error": "404 Client Error: Not Found: No such image: x-qgis:latest", "error_type": "UNKNOWN"}


@pytest.fixture(scope="module")
def official(docker_here: DockerHost, short_folder: Path) -> Iterator[Deployment]:
    """A deployment with a service `qgis` and workers that are configured with its image, like an official one."""
    with running_deployment(docker_here, short_folder / "image", short_folder / "home-image", workers=1) as made:
        (made.place / "qgis").mkdir()
        (made.place / "qgis/Dockerfile").write_text("FROM debian:bookworm-slim\nRUN echo qgis > /qgis\n")
        (made.place / "docker-compose.override.yml").write_text(OVERRIDE)
        with (made.place / ".env").open("a") as env:
            env.write(f"QFIELDCLOUD_QGIS_IMAGE_NAME={made.project}-qgis\n")
        made.ok("workers", "drain")
        yield made


@pytest.fixture(scope="module")
def stack(official: Deployment) -> Iterator[DeployedStack]:
    with as_stack(official) as seen:
        yield seen


def image(made: Deployment) -> str:
    return made.engine.docker("image", "inspect", "--format", "{{.Id}}", f"{made.project}-qgis", check=False)


def failed_job(stack: DeployedStack) -> str:
    """Create a job that failed as jobs do while the image is missing."""
    world = DatabaseWorld(stack.database)
    try:
        world.execute("truncate core_project cascade")
        project = world.project("needs-an-image", details=None)
        return world.job(project, "failed", type="process_projectfile", started=2, ended=1, feedback=MISSING)
    finally:
        world.close()


def test_a_missing_image_is_a_fault_and_what_failed_is_tried_again(official: Deployment, stack: DeployedStack) -> None:
    job = failed_job(stack)
    status = official.run("--json", "image", "status")
    assert status.code == 1
    (found,) = status.json["images"]
    assert (found["present"], status.json["verdict"], status.json["failed_jobs"]) == (False, "down", [job])
    assert "D02" in found["problem"]
    refused = official.run("--json", "--yes", "image", "save")
    assert (refused.code, refused.json["error"]["code"]) == (1, "not_found")
    built = official.ok("image", "rebuild")
    assert built["retried"] == [job]
    assert image(official)
    assert stack.qfc("jobs", "show", job)["status"] == "pending"
    seen = official.ok("image", "status")
    assert (seen["verdict"], seen["images"][0]["id"]) == ("ok", image(official))
    assert seen["images"][0]["size_bytes"] > 10_000_000


def test_an_image_is_saved_rotated_and_loaded_again(official: Deployment, stack: DeployedStack) -> None:
    official.ok("image", "rebuild")
    before = image(official)
    files = official.place / ".qfc/images"
    for _ in range(2):
        saved = official.ok("image", "save", "--keep", "1")
    (kept,) = files.glob("*.tar.gz")
    assert str(kept) == saved["path"]
    assert kept.stat().st_size == saved["size_bytes"]
    assert kept.stat().st_mode & 0o077 == 0
    assert kept.with_name(f"{kept.name}.sha256").exists()
    job = failed_job(stack)
    official.engine.docker("image", "rm", "-f", f"{official.project}-qgis")
    loaded = official.ok("image", "load")
    assert loaded["retried"] == [job]
    assert image(official) == before


def test_a_damaged_file_is_not_loaded(official: Deployment) -> None:
    saved = official.ok("image", "save", "--keep", "1")
    path = Path(saved["path"])
    with path.open("r+b") as file:
        file.seek(path.stat().st_size // 2)
        file.write(b"\0" * 64)
    answer = official.run("--json", "--yes", "image", "load")
    assert answer.code == 1
    assert "checksum differs" in answer.json["error"]["message"]
    unknown = official.run("--json", "--yes", "image", "load", "nothing.tar.gz")
    assert (unknown.code, path.name in unknown.json["error"]["hint"]) == (1, True)
