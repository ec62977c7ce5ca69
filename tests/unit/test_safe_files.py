"""What a job leaves in its folder is opened only where it is a file of the job's own."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from qfc_node.worker.safe_files import UnsafeFileError, open_within, read_within


@pytest.fixture
def job(tmp_path: Path) -> Path:
    (tmp_path / "secret").write_text("secret")
    folder = tmp_path / "job"
    (folder / "export").mkdir(parents=True)
    (folder / "export/data.gpkg").write_text("data")
    return folder


def test_a_file_of_the_job_is_opened(job: Path) -> None:
    with open_within(job, "export/data.gpkg") as file:
        assert file.read() == b"data"
    assert read_within(job, "export/data.gpkg", 2) == b"ta"


@pytest.mark.parametrize("name", ["", "/etc/hostname", "../secret", "export/../../secret", "export/nothing", "export"])
def test_a_path_that_is_not_one_of_a_file_within(job: Path, name: str) -> None:
    with pytest.raises(UnsafeFileError):
        open_within(job, name)
    assert read_within(job, name, 10) is None


def test_links_lead_nowhere(job: Path) -> None:
    (job / "link").symlink_to(job.parent / "secret")
    (job / "folder").symlink_to(job.parent)
    os.link(job.parent / "secret", job / "hard")
    for name in ("link", "folder/secret", "hard"):
        with pytest.raises(UnsafeFileError):
            open_within(job, name)


def test_a_pipe_stops_nobody(job: Path) -> None:
    os.mkfifo(job / "pipe")
    with pytest.raises(UnsafeFileError):
        open_within(job, "pipe")
