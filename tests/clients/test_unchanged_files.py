"""A file that did not change travels once, however large it is, with each of the three official clients.

QField, QFieldSync and the SDK compare `md5sum` with the tag of S3: the MD5 up to 8 MiB; above, the MD5 of the MD5s of
the parts of 8 MiB, followed by their number.
"""

from __future__ import annotations

import hashlib
import os
import random
from pathlib import Path
from typing import Any

import pytest
from qfieldcloud_sdk.sdk import Client, FileTransferType
from qfieldcloud_sdk.utils import calc_etag

from bad_network import bad_network
from client_world import PASSWORD, ClientWorld
from node import Node
from qfc.drivers.postgres_server import Endpoint

MIB = 1024**2
PART = 8 * MIB
#: Sizes of files that an SDK sends and fetches, in MiB.
SIZES_MIB = [int(size) for size in os.environ.get("QFC_TEST_LARGE_MIB", "9,100").split(",")]
LARGE = random.Random(9).randbytes(9 * MIB)


def tag_as_qfield_computes_it(content: bytes) -> str:
    """Return the tag of a local file, as the apps compute it."""
    if len(content) <= PART:
        return hashlib.md5(content).hexdigest()
    parts = [content[start : start + PART] for start in range(0, len(content), PART)]
    whole = hashlib.md5(b"".join(hashlib.md5(part).digest() for part in parts))
    return f"{whole.hexdigest()}-{len(parts)}"


@pytest.fixture
def alice(node_database: Endpoint) -> Any:
    from api_world import person

    return person("alice")


@pytest.fixture
def speaker(alice: Any) -> Any:
    from api_world import Speaker

    return Speaker(alice, "qfield")


@pytest.mark.parametrize("size", [0, 1, PART - 1, PART, PART + 1, 9 * MIB, 2 * PART, 2 * PART + 1])
def test_the_tag_is_that_of_the_clients(alice: Any, speaker: Any, size: int, tmp_path: Path) -> None:
    from qfc_node.core.models import Project

    address = f"files/{Project.objects.create(name='survey', owner=alice).pk}/"
    content = (LARGE * 2)[:size]
    assert speaker.send(f"{address}data.bin/", content).status_code == 201
    (tmp_path / "data.bin").write_bytes(content)

    (file,) = speaker.get(address).json()

    tag = file["md5sum"]
    assert tag == file["versions"][0]["md5sum"] == tag_as_qfield_computes_it(content)
    assert tag == calc_etag(str(tmp_path / "data.bin"))
    assert speaker.get(f"{address}data.bin/")["ETag"] == f'"{tag}"'
    again = speaker.get(f"{address}data.bin/", HTTP_IF_NONE_MATCH=tag)
    assert (again.status_code, again.body) == (304, b"")
    rest = speaker.get(f"{address}data.bin/", HTTP_RANGE="bytes=0-", HTTP_IF_RANGE=f'"{tag}"')
    assert rest.status_code == (206 if size else 416)


def write_large(path: Path, size: int) -> str:
    """Write a file of that many MiB, each of which differs; return its tag."""
    with path.open("wb") as file:
        for number in range(size):
            file.write(number.to_bytes(8, "big") + LARGE[: MIB - 8])
    return calc_etag(str(path))


def test_the_sdk_moves_large_files_once(node: Node, node_folder: Path) -> None:
    (node_folder / "client").mkdir()
    world = ClientWorld(node, node_folder / "client")
    with bad_network(node.port) as network:
        client = Client(f"http://127.0.0.1:{network.port}/api/v1/")
        client.login("alice", PASSWORD)
        for size in SIZES_MIB:
            project, here, there = world.empty_project(), world.new_folder(), world.new_folder()
            tag = write_large(here / "large.tif", size)

            for _ in range(3):
                client.upload_files(project, FileTransferType.PROJECT, str(here), "*", show_progress=False)
            client.download_project(project, str(there), show_progress=False)
            arrived = (there / "large.tif").stat().st_mtime_ns
            client.download_project(project, str(there), show_progress=False)

            (file,) = client.list_remote_files(project)
            assert (file["md5sum"], len(file["versions"])) == (tag, 1)
            assert calc_etag(str(there / "large.tif")) == tag
            assert (there / "large.tif").stat().st_mtime_ns == arrived
            for travelled in (network.sent, network.delivered):
                assert size * MIB < travelled < size * MIB + MIB, "nothing travels twice"
            network.sent = network.delivered = 0
            (here / "large.tif").unlink()
            (there / "large.tif").unlink()


def test_a_package_tells_the_same_tag(alice: Any, speaker: Any) -> None:
    """QField keeps its copy of a package's file if the tag in the new package is the same."""
    from api_world import package
    from qfc_node.core.models import Project

    project = Project.objects.create(name="survey", owner=alice, project_filename="survey.qgs")
    package(project, alice, large=LARGE)

    (file,) = speaker.get(f"packages/{project.pk}/latest/?skip_metadata=1").json()["files"]

    tag = tag_as_qfield_computes_it(LARGE)
    address = f"packages/{project.pk}/latest/files/large/"
    assert (file["md5sum"], speaker.get(address)["ETag"]) == (tag, f'"{tag}"')
    assert speaker.get(address, HTTP_IF_NONE_MATCH=tag).status_code == 304


class TestFilesOfAnOlderRelease:
    """Large files that were stored with the MD5 of all bytes."""

    @pytest.fixture
    def old_version(self, alice: Any) -> Any:
        from qfc_node.core.models import FileVersion, Project
        from stored_files import put_file

        project = Project.objects.create(name="survey", owner=alice)
        version = put_file(project, "large.tif", LARGE)
        FileVersion.objects.filter(pk=version.pk).update(etag="", md5sum=hashlib.md5(LARGE).digest())
        version.refresh_from_db()
        return version

    def test_they_keep_their_tag_until_it_is_computed(self, old_version: Any) -> None:
        assert old_version.entity_tag == hashlib.md5(LARGE).hexdigest()

    def test_an_idle_worker_computes_the_tags(self, old_version: Any, node_folder: Path) -> None:
        import uuid

        from qfc_node.worker.sweep import Sweeper

        with Sweeper(node_folder, uuid.uuid4()) as sweeper:
            for _ in range(8):
                sweeper.sweep_when_due()

        old_version.refresh_from_db()
        assert old_version.entity_tag == tag_as_qfield_computes_it(LARGE)

    def test_a_copied_project_gets_the_tags_as_well(self, old_version: Any) -> None:
        from qfc_node.core import projects
        from qfc_node.core.models import FileVersion
        from qfc_node.core.old_tags import complete_tags

        source = old_version.file.project
        projects.clone(source, source.owner, {"name": "copy"}, source.owner)

        assert sum(complete_tags()) == 2
        tags = {version.entity_tag for version in FileVersion.objects.all()}
        assert tags == {tag_as_qfield_computes_it(LARGE)}

    def test_a_lost_blob_does_not_stop_the_others(self, old_version: Any) -> None:
        from qfc_node.core.models import FileVersion
        from qfc_node.core.old_tags import complete_tags
        from qfc_node.storage.store import blob_store
        from stored_files import put_file

        other = put_file(old_version.file.project, "other.tif", LARGE[1:])
        FileVersion.objects.filter(pk=other.pk).update(etag="")
        blob_store().delete(old_version.content)

        assert sum(complete_tags()) == 1
        other.refresh_from_db()
        assert other.entity_tag == tag_as_qfield_computes_it(LARGE[1:])

    @pytest.mark.usefixtures("old_version")
    def test_an_operator_can_have_them_computed_at_once(self) -> None:
        import io

        from django.core.management import call_command

        printed = io.StringIO()
        call_command("completetags", stdout=printed)
        assert printed.getvalue() == "Tags computed: 1.\n"
