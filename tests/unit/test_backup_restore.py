"""What a restore refuses and asks, before anything is replaced."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from backup_world import a_set
from qfc.errors import RefusedError, UsageError
from qfc.operations.backup.lost import Lost, LostEdits, apply_again
from qfc.operations.backup.restore import RestorePlan, question, require_release, summary
from qfc.operations.guard import Options
from twins import MemoryPorts, memory_stack


@pytest.fixture
def ports() -> MemoryPorts:
    made = memory_stack()
    made.runtime.start(None)
    return made


def test_the_same_tables_are_restored_whatever_the_release_is_called(ports: MemoryPorts) -> None:
    ports.directory.migrations = ("core.0001_initial",)
    require_release(a_set(1), ports)


@pytest.mark.parametrize("installed", [(), ("core.0001_initial", "core.0002_more")])
def test_another_release_is_refused_and_the_one_to_install_is_named(
    ports: MemoryPorts, installed: tuple[str, ...]
) -> None:
    ports.directory.migrations = installed
    with pytest.raises(RefusedError, match=r"was made by qfc 1\.0") as caught:
        require_release(a_set(1), ports)
    assert "Install qfieldcloud-suite==1.0, restore" in caught.value.hint


def test_the_question_says_what_is_replaced_and_whose_edits_are_newer() -> None:
    manifest = a_set(1)
    now = summary({"core_user": 3, "core_project": 2, "filestorage_fileversion": 9, "core_delta": 4})
    plan = RestorePlan(manifest, "local", now, summary({}), Lost((LostEdits("a/survey", "anna", 3),), 1))
    asked = question(plan)
    assert "Replace the data of local (3 users, 2 projects, 9 file versions, 4 edits) by" in asked
    assert "(0 users, 0 projects, 0 file versions, 0 edits)" in asked
    assert "Newer than that: 3 edits by anna in a/survey, 1 uploaded file; exported first" in asked
    assert "cannot be read" in question(replace(plan, now=None))
    assert "Newer" not in question(replace(plan, lost=Lost()))


@pytest.mark.parametrize("content", ["", "{}", json.dumps({"edits": [{}], "files": []})])
def test_a_file_that_is_no_export_is_refused(ports: MemoryPorts, tmp_path: Path, content: str) -> None:
    path = tmp_path / "edits.json"
    path.write_text(content)
    with pytest.raises(UsageError, match="is not an export of edits"):
        apply_again(ports, path, Options(yes=True))
