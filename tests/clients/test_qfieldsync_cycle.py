"""Two desktops with QFieldSync and a phone, in their own requests: cancelled, cut and gone on with.

Written from the contract: what QFieldSync sends, what it reads of each answer, and when it gives up.
"""

from __future__ import annotations

import json
import random
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from bad_network import BadNetwork, bad_network
from client_world import ClientWorld
from desktop import Desktop
from node import Node
from phone import Phone
from qfc.demo.survey import shipped_project
from qfc.drivers.postgres_server import Endpoint

MIB = 1024**2
LARGE = "Karten/große Karte #1.tif"
PHOTO = "DCIM/a photo.jpg"
BYTES = random.Random(10).randbytes(9 * MIB)
PROJECT_FILE = "fibre_survey.qgs"


@pytest.fixture(scope="module")
def world(module_database: Endpoint, module_folder: Path) -> Iterator[ClientWorld]:
    with Node(module_database, module_folder) as node:
        node.start_app()
        node.start_worker()
        (module_folder / "client").mkdir()
        yield ClientWorld(node, module_folder / "client")


@pytest.fixture
def network(world: ClientWorld) -> Iterator[BadNetwork]:
    with bad_network(world.node.port) as network:
        yield network


def new_desktop(world: ClientWorld, network: BadNetwork, name: str) -> Desktop:
    """A desktop whose user has logged in."""
    desktop = Desktop(network.port, world.new_folder())
    desktop.log_in(name)
    return desktop


def new_project(world: ClientWorld, desktop: Desktop, user: str) -> str:
    """The id of a project, created as the form of QFieldSync does."""
    body = {"name": world.name("desktop"), "owner": user, "description": "", "is_public": False}
    answer = desktop.send("POST", "projects/", {**body, "project_type": "regular"})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


def tags(desktop: Desktop, project: str) -> dict[str, str]:
    """The tags of the project's files, by which clients find what has changed."""
    return {name: file["md5sum"] for name, file in desktop.cloud_files(project).items()}


def status_of(desktop: Desktop, project: str) -> str:
    """What the list of projects, which QFieldSync asks for again and again, says of a project."""
    (found,) = [each for each in desktop.get("projects/") if each["id"] == project]
    assert {"name", "owner", "description", "is_public", "user_role", "user_role_origin", "updated_at"} <= set(found)
    return str(found["status"])


@pytest.mark.slow
def test_two_desktops_and_a_phone_share_a_project(world: ClientWorld, network: BadNetwork) -> None:
    desktop = new_desktop(world, network, "alice")
    project = new_project(world, desktop, "alice")
    shutil.copytree(shipped_project(), desktop.folder, dirs_exist_ok=True)
    (desktop.folder / LARGE).parent.mkdir()
    (desktop.folder / LARGE).write_bytes(BYTES)
    (desktop.folder / PHOTO).write_bytes(BYTES[:1000])

    # The user cancels while the large file is on its way; then synchronises again: only that one travels.
    desktop.cancels = {LARGE: 4 * MIB}
    first = desktop.synchronise(project)
    assert first.failed == [LARGE]
    assert first.uploaded[-1] == PROJECT_FILE
    assert LARGE not in desktop.cloud_files(project), "half a file is none"
    assert desktop.synchronise(project).uploaded == [LARGE]
    network.sent = network.delivered = 0
    assert desktop.synchronise(project).uploaded == []
    assert network.sent + network.delivered < 100_000, "nothing travels twice"
    world.wait(lambda: status_of(desktop, project) != "busy")
    assert status_of(desktop, project) == "ok"

    # The other desktop: its download of the large file is cut; the next one fetches that file alone.
    world.alice.add_project_collaborator(project, "bob", "editor")
    other = new_desktop(world, network, "bob")
    assert status_of(other, project) == "ok"
    other.download(project, PROJECT_FILE)
    network.cuts = [None, 2 * MIB]
    cut = other.synchronise(project)
    assert len(cut.failed) <= 1
    assert other.synchronise(project).downloaded == cut.failed
    assert (other.folder / LARGE).read_bytes() == BYTES

    # A file that one desktop changed arrives on the other one, alone; the version before can still be had.
    (other.folder / "materials.csv").write_text("id,name\n1,cable\n")
    assert other.synchronise(project).uploaded == ["materials.csv"]
    before = (desktop.folder / "materials.csv").read_bytes()
    assert desktop.synchronise(project, prefer="cloud").downloaded == ["materials.csv"]
    old = desktop.cloud_files(project)["materials.csv"]["versions"][-1]
    assert desktop.download(project, "materials.csv", old["version_id"]) == before

    # A phone packages, edits and sends; both desktops then fetch the files that its edits changed, and no other.
    phone = Phone(network, world.new_folder())
    phone.log_in("bob")
    phone.fetch(project, phone.package(project))
    seen = tags(desktop, project)
    deltas = json.loads(world.deltafile(project).read_text())["deltas"]
    assert set(phone.push(project, deltas)) == {"STATUS_APPLIED"}
    assert {row["created_by"] for row in phone.get(f"deltas/{project}/")} == {"bob"}
    edited = sorted(name for name, tag in tags(other, project).items() if tag != seen[name])
    assert edited
    for each in (desktop, other):
        assert each.synchronise(project, prefer="cloud").downloaded == edited
    assert desktop.synchronise(project).uploaded == other.synchronise(project).uploaded == []


def test_the_windows_of_quota_and_owners(world: ClientWorld, network: BadNetwork) -> None:
    desktop = new_desktop(world, network, "alice")
    organization = world.organization()
    assert organization in [each["username"] for each in desktop.get("users/alice/organizations/")]
    plan = desktop.get(f"subscriptions/{organization}/current/")
    for name in ("active_storage_total_bytes", "storage_used_bytes"):
        assert isinstance(plan[name], int)
    project = new_project(world, desktop, organization)
    assert status_of(desktop, project)


def test_the_form_of_a_project(world: ClientWorld, network: BadNetwork) -> None:
    desktop, other = (new_desktop(world, network, name) for name in ("alice", "bob"))
    project = new_project(world, desktop, "alice")
    change = {"name": world.name("renamed"), "description": "x", "is_public": True, "project_type": "template"}
    changed = desktop.send("PATCH", f"projects/{project}/", change)
    assert (changed.status_code, {**changed.json(), **change}) == (200, changed.json())
    assert project not in [each["id"] for each in other.get("projects/")]
    listed = {each["id"]: each["user_role_origin"] for each in other.get("projects/", **{"include-public": 1})}
    assert listed[project] == "public"
    refused = other.send("PATCH", f"projects/{project}/", {"description": "mine"})
    assert (refused.status_code, refused.json()["code"]) == (403, "permission_denied")
    taken = desktop.send("POST", "projects/", {"name": change["name"], "owner": "alice", "is_public": False})
    assert taken.json()["code"] == "project_already_exists"


def test_shared_datasets_are_a_project_of_their_own(world: ClientWorld, network: BadNetwork) -> None:
    """QFieldSync creates the project when a layer's path is below a folder of shared data, and looks for its name."""
    desktop = new_desktop(world, network, "alice")
    body = {"name": "shared_datasets", "owner": "alice", "description": "", "is_public": False}
    answer = desktop.send("POST", "projects/", {**body, "project_type": "shared_datasets"})
    assert (answer.status_code, answer.json()["project_type"]) == (201, "shared_datasets")
    project = answer.json()["id"]
    (desktop.folder / "base").mkdir()
    (desktop.folder / "base" / "map.tif").write_bytes(b"map")
    assert desktop.synchronise(project).uploaded == ["base/map.tif"]
    assert desktop.synchronise(project).uploaded == []


def test_deleting_files_and_projects(world: ClientWorld, network: BadNetwork) -> None:
    desktop = new_desktop(world, network, "alice")
    project = new_project(world, desktop, "alice")
    (desktop.folder / "notes.txt").write_text("notes")
    desktop.synchronise(project)
    assert desktop.send("DELETE", f"files/{project}/notes.txt/").is_success
    assert desktop.cloud_files(project) == {}
    assert desktop.send("DELETE", f"projects/{project}/").is_success
    gone = desktop.http.get(f"files/{project}/")
    assert (gone.status_code, gone.json()["code"]) == (404, "object_not_found")


def test_the_end_of_a_session(world: ClientWorld, network: BadNetwork) -> None:
    desktop = Desktop(network.port, world.new_folder())
    wrong = desktop.send("POST", "auth/login/", {"username": "alice", "password": "wrong"})
    assert wrong.status_code == 401
    assert {"code", "message"} <= set(wrong.json())
    desktop.log_in("alice")
    assert desktop.get("auth/user/")["username"] == "alice"
    desktop.log_out()
    refused = desktop.http.get("projects/")
    assert refused.status_code == 401, "QFieldSync forgets its token"
    assert refused.json()["code"]
