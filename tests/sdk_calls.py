"""One function for every public method of `qfieldcloud_sdk.sdk.Client`, which calls it and checks its effect.

This module has users, projects, files, jobs and packages; `sdk_group_calls.py` collaborators, organizations and teams.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest
from qfieldcloud_sdk.interfaces import QfcRequestException
from qfieldcloud_sdk.sdk import (
    Client,
    FileTransferType,
    JobTypes,
    Pagination,
    ProjectCollaboratorRole,
    ProjectType,
)

from client_world import PASSWORD, ClientWorld
from qfc.demo.survey import shipped_project

PROJECT, PACKAGE = FileTransferType.PROJECT, FileTransferType.PACKAGE


def login(world: ClientWorld) -> None:
    client = Client(world.node.url)
    assert client.login("alice", PASSWORD)["username"] == "alice"
    assert client.list_projects() is not None
    with pytest.raises(QfcRequestException, match="401"):
        Client(world.node.url).login("alice", "wrong")


def logout(world: ClientWorld) -> None:
    client, other = world.login("alice"), world.login("alice")
    client.logout()
    with pytest.raises(QfcRequestException, match="401"):
        client.list_projects()
    other.list_projects()


def create_user(world: ClientWorld) -> None:
    name = world.name("user")
    made = world.root.create_user(name, PASSWORD, f"{name}@example.com")
    assert made is not None
    assert made["username"] == name
    assert Client(world.node.url).login(name, PASSWORD)["username"] == name
    assert world.root.create_user(name, PASSWORD, f"{name}@example.com", exist_ok=True) is None
    with pytest.raises(QfcRequestException, match="403"):
        world.alice.create_user(world.name("user"), PASSWORD, "x@example.com")


def check_server_status(world: ClientWorld) -> None:
    status = world.alice.check_server_status()
    assert status["storage"] == "ok"


def list_projects(world: ClientWorld) -> None:
    ids = {world.empty_project() for _ in range(3)}
    assert ids <= {project["id"] for project in world.alice.list_projects()}
    assert len(world.alice.list_projects(pagination=Pagination(limit=2, offset=1))) == 2
    assert not ids & {project["id"] for project in world.bob.list_projects(include_public=True)}


def get_project(world: ClientWorld) -> None:
    project_id = world.empty_project()
    assert world.alice.get_project(project_id)["id"] == project_id
    with pytest.raises(QfcRequestException, match=r"403|404"):
        world.bob.get_project(project_id)


def get_project_seed(world: ClientWorld) -> None:
    seed = world.alice.get_project_seed(world.seeded)
    assert seed["crs"] == "EPSG:25832"
    assert len(seed["extent"]) == 4


def get_project_seed_xlsform(world: ClientWorld) -> None:
    saved = world.alice.get_project_seed_xlsform(world.seeded, str(world.new_folder()))
    assert saved is not None
    assert Path(saved).read_bytes() == b"a form"


def get_project_seed_json2qgis(world: ClientWorld) -> None:
    saved = world.alice.get_project_seed_json2qgis(world.seeded, str(world.new_folder()))
    assert saved is not None
    assert Path(saved).read_bytes() == b'{"layers": []}'


def list_remote_files(world: ClientWorld) -> None:
    project_id = world.project_with(notes__txt=b"first")
    (file,) = world.alice.list_remote_files(project_id)
    assert (file["name"], file["size"]) == ("notes.txt", 5)
    assert file["etag"] == file["md5sum"] == hashlib.md5(b"first").hexdigest()


def create_project(world: ClientWorld) -> None:
    name = world.name("public")
    role = ProjectCollaboratorRole.REPORTER
    project = world.alice.create_project(
        name, "alice", "for all", True, public_collaborator_role=role, project_type=ProjectType.REGULAR
    )
    assert (project["name"], project["owner"], project["is_public"]) == (name, "alice", True)
    source = world.project_with(notes__txt=b"cloned")
    clone = world.alice.create_project(world.name("clone"), clone_from_project=source)
    names = world.wait(lambda: [file["name"] for file in world.alice.list_remote_files(clone["id"])])
    assert names == ["notes.txt"]


def delete_project(world: ClientWorld) -> None:
    project_id = world.empty_project()
    assert world.alice.delete_project(project_id).status_code == 204
    with pytest.raises(QfcRequestException, match="404"):
        world.alice.get_project(project_id)


def patch_project(world: ClientWorld) -> None:
    project_id, name = world.empty_project(), world.name("renamed")
    changed = world.alice.patch_project(project_id, name=name, description="new words", is_public=True)
    assert (changed["name"], changed["description"], changed["is_public"]) == (name, "new words", True)
    assert world.alice.get_project(project_id)["name"] == name


def upload_project_thumbnail(world: ClientWorld) -> None:
    answer = world.alice.upload_project_thumbnail(world.empty_project(), str(world.thumbnail()))
    assert answer.ok


def upload_files(world: ClientWorld) -> None:
    project_id, folder = world.empty_project(), str(shipped_project() / "DCIM")
    files = world.alice.upload_files(project_id, PROJECT, folder, "*.jpg", throw_on_error=True)
    assert len(files) == len(world.alice.list_remote_files(project_id)) > 1
    assert world.alice.upload_files(project_id, PROJECT, folder, "*.jpg") == []


def upload_file(world: ClientWorld) -> None:
    project_id, path = world.empty_project(), world.thumbnail()
    answer = world.alice.upload_file(project_id, PROJECT, path, Path("DCIM/new one.png"), show_progress=True)
    assert answer.status_code == 201
    assert [file["name"] for file in world.alice.list_remote_files(project_id)] == ["DCIM/new one.png"]


def download_project(world: ClientWorld) -> None:
    folder = world.new_folder()
    files = world.alice.download_project(world.packaged, str(folder), "*.csv", throw_on_error=True)
    assert [file["name"] for file in files] == ["materials.csv"]
    assert (folder / "materials.csv").read_bytes() == (shipped_project() / "materials.csv").read_bytes()


def download_files(world: ClientWorld) -> None:
    project_id, folder = world.project_with(a__txt=b"A", b__txt=b"B"), world.new_folder()
    files = [{"name": "a.txt"}, {"name": "b.txt"}]
    world.alice.download_files(files, project_id, PROJECT, str(folder), throw_on_error=True, show_progress=True)
    assert [(folder / name).read_bytes() for name in ("a.txt", "b.txt")] == [b"A", b"B"]


def download_file(world: ClientWorld) -> None:
    project_id, path = world.project_with(a__txt=b"content"), world.new_folder() / "a.txt"
    answer = world.alice.download_file(project_id, PROJECT, path, Path("a.txt"), show_progress=False)
    assert answer is not None
    assert path.read_bytes() == b"content"
    etag = hashlib.md5(b"content").hexdigest()
    assert world.alice.download_file(project_id, PROJECT, path, Path("a.txt"), False, etag) is None


def list_jobs(world: ClientWorld) -> None:
    jobs = world.alice.list_jobs(world.packaged, JobTypes.PACKAGE)
    assert jobs
    assert {job["type"] for job in jobs} == {"package"}
    assert len(world.alice.list_jobs(world.packaged, pagination=Pagination(limit=1))) == 1


def job_trigger(world: ClientWorld) -> None:
    job = world.alice.job_trigger(world.packaged, JobTypes.PROCESS_PROJECTFILE, force=True)
    assert job["type"] == "process_projectfile"
    world.wait(lambda: world.alice.job_status(job["id"])["status"] == "finished")


def job_status(world: ClientWorld) -> None:
    (job, *_) = world.alice.list_jobs(world.packaged)
    assert world.alice.job_status(job["id"])["id"] == job["id"]
    with pytest.raises(QfcRequestException, match=r"403|404"):
        world.bob.job_status(job["id"])


def push_delta(world: ClientWorld) -> None:
    before = {job["id"] for job in world.alice.list_jobs(world.packaged, JobTypes.APPLY_DELTAS)}
    world.alice.push_delta(world.packaged, str(world.deltafile(world.packaged)))
    jobs = world.alice.list_jobs(world.packaged, JobTypes.APPLY_DELTAS)
    new = [job["id"] for job in jobs if job["id"] not in before]
    assert len(new) == 1
    world.wait(lambda: world.alice.job_status(new[0])["status"] == "finished")


def delete_files(world: ClientWorld) -> None:
    project_id = world.project_with(a__txt=b"A", b__txt=b"B", c__csv=b"C")
    deleted = world.alice.delete_files(project_id, ["*.txt"])
    assert len(deleted["*.txt"]) == 2
    assert [file["name"] for file in world.alice.list_remote_files(project_id)] == ["c.csv"]


def delete_file(world: ClientWorld) -> None:
    project_id, path = world.project_with(a__txt=b"first"), world.new_folder() / "a.txt"
    path.write_bytes(b"second")
    world.alice.upload_file(project_id, PROJECT, path, Path("a.txt"), show_progress=False)
    (file,) = world.alice.list_remote_files(project_id)
    oldest = file["versions"][-1]["version_id"]
    assert world.alice.delete_file(project_id, "a.txt", oldest).ok
    assert len(world.alice.list_remote_files(project_id)[0]["versions"]) == 1
    assert world.alice.delete_file(project_id, "a.txt", None).ok
    assert world.alice.list_remote_files(project_id) == []


def package_latest(world: ClientWorld) -> None:
    latest = world.alice.package_latest(world.packaged)
    assert latest["status"] == "finished"
    assert "data.gpkg" in {file["name"] for file in latest["files"]}
    assert latest["layers"]


def package_download(world: ClientWorld) -> None:
    folder = world.new_folder()
    world.alice.package_download(world.packaged, str(folder), "data.gpkg", throw_on_error=True)
    listed = {file["name"]: file["md5sum"] for file in world.alice.package_latest(world.packaged)["files"]}
    assert hashlib.md5((folder / "data.gpkg").read_bytes()).hexdigest() == listed["data.gpkg"]


def list_local_files(world: ClientWorld) -> None:
    files = world.alice.list_local_files(str(shipped_project()), "*")
    assert files[-1]["name"] == "fibre_survey.qgs"


PROJECT_CALLS: dict[str, Callable[[ClientWorld], None]] = {
    name: value for name, value in list(globals().items()) if not name.startswith("_") and hasattr(Client, name)
}
