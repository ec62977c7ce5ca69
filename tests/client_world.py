"""A node with users, an organization and a packaged project, for tests with the unmodified official clients."""

from __future__ import annotations

import itertools
import json
import random
import time
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import Any

from qfieldcloud_sdk.sdk import Client, FileTransferType, JobTypes

from node import Node
from qfc.demo import fieldwork
from qfc.demo.survey import read_survey, shipped_project

PASSWORD = "correct-horse-battery"
PATIENCE_S = 60.0

MAKE_ORGANIZATION = """
from qfc_node.core.models import Organization, User
owner = User.objects.get(username="{owner}")
Organization.objects.create(username="{name}", type=2, organization_owner=owner, created_by=owner)
"""
MAKE_SEED = """
from qfc_node.core.models import ProjectSeed
ProjectSeed.objects.create(
    project_id="{project_id}", crs="EPSG:25832", extent=[612000.0, 5871000.0, 613200.0, 5871850.0],
    settings={{"basemaps": [], "xlsform": "survey.xlsx"}},
    xlsform_name="survey.xlsx", xlsform=b"a form", json2qgis=b'{{"layers": []}}',
)
"""


class ClientWorld:
    """Alice owns everything, Bob works for her, Carol is not involved, Root is staff."""

    def __init__(self, node: Node, folder: Path) -> None:
        self.node = node
        self.folder = folder
        self._numbers = itertools.count(1)
        for name in ("alice", "bob", "carol"):
            node.create_user(name, PASSWORD)
        node.create_user("root", PASSWORD, superuser=True)
        self.alice, self.bob, self.root = (self.login(name) for name in ("alice", "bob", "root"))

    def login(self, username: str) -> Client:
        """A client with a token of its own."""
        client = Client(self.node.url)
        client.login(username, PASSWORD)
        return client

    def name(self, word: str) -> str:
        """A new name."""
        return f"{word}{next(self._numbers)}"

    def empty_project(self) -> str:
        """The id of a new project of Alice's."""
        return str(self.alice.create_project(self.name("project"))["id"])

    def project_with(self, **files: bytes) -> str:
        """The id of a new project with small files; `__` in a keyword stands for the dot before the extension."""
        project_id = self.empty_project()
        for keyword, content in files.items():
            name = keyword.replace("__", ".")
            path = self.new_folder() / name
            path.write_bytes(content)
            self.alice.upload_file(project_id, FileTransferType.PROJECT, path, Path(name), show_progress=False)
        return project_id

    def new_folder(self) -> Path:
        """An empty folder."""
        folder = self.folder / self.name("folder")
        folder.mkdir()
        return folder

    @cached_property
    def packaged(self) -> str:
        """The id of the demo project, uploaded and packaged once for all tests."""
        project_id = self.empty_project()
        files = self.alice.upload_files(project_id, FileTransferType.PROJECT, str(shipped_project()), "*")
        assert all(file["status"] == "SUCCESS" for file in files), files
        self.wait(lambda: self._finished(project_id, JobTypes.PROCESS_PROJECTFILE))
        self.alice.job_trigger(project_id, JobTypes.PACKAGE)
        self.wait(lambda: self._finished(project_id, JobTypes.PACKAGE))
        return project_id

    def deltafile(self, project_id: str) -> Path:
        """A file with one morning's edits."""
        surveyor, _ = fieldwork.surveyors(read_survey(shipped_project()), "alice", "bob", random.Random())
        fieldwork.morning(surveyor)
        path = self.new_folder() / "deltas.json"
        path.write_text(json.dumps(fieldwork.push(surveyor, project_id)), encoding="utf-8")
        return path

    def organization(self) -> str:
        """The name of a new organization of Alice's."""
        name = self.name("organization")
        self.node.command("shell", "-c", MAKE_ORGANIZATION.format(owner="alice", name=name))
        return name

    def team(self, organization: str) -> str:
        """The name of a new team in an organization."""
        name = self.name("team")
        self.alice.create_organization_team(organization, name)
        return name

    @cached_property
    def seeded(self) -> str:
        """The id of a project with a seed."""
        project_id = self.empty_project()
        self.node.command("shell", "-c", MAKE_SEED.format(project_id=project_id))
        return project_id

    def thumbnail(self) -> Path:
        """A small PNG."""
        from PIL import Image

        path = self.new_folder() / "thumbnail.png"
        Image.new("RGB", (32, 32), (10, 120, 60)).save(path)
        return path

    def wait(self, done: Callable[[], Any]) -> Any:
        """Wait until `done` returns a true value."""
        end = time.monotonic() + PATIENCE_S
        while time.monotonic() < end:
            found = done()
            if found:
                return found
            time.sleep(0.05)
        raise AssertionError(f"waited {PATIENCE_S:.0f} s\n{self.node.log[-3000:]}")

    def _finished(self, project_id: str, kind: JobTypes) -> bool:
        jobs = self.alice.list_jobs(project_id, kind)
        assert not [job for job in jobs if job["status"] == "failed"], self.alice.job_status(jobs[0]["id"])
        return bool(jobs) and all(job["status"] == "finished" for job in jobs)
