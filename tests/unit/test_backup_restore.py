"""What a restore refuses and asks, before anything is replaced."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from backup_world import a_set
from qfc.errors import RefusedError, UsageError
from qfc.operations.backup.lost import Lost, LostEdits, apply_again
from qfc.operations.backup.restore import require_release
from qfc.operations.backup.restore_plan import RestorePlan, question, summary
from qfc.operations.guard import Options
from qfc.stack.model import ApiRequest, User
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


def test_a_file_is_sent_again_piece_by_piece(ports: MemoryPorts, tmp_path: Path) -> None:
    """It may be larger than the memory."""
    file = {"project_id": "p", "project": "anna/survey", "name": "big.bin", "sha256": "0" * 64, "size": 3}
    file |= {"uploaded_by": "anna", "uploaded_at": "2026-11-30T12:00:00+00:00", "by_job": False}
    path = tmp_path / "edits.json"
    path.write_text(json.dumps({"edits": [], "files": [file]}))
    stored = Unread(b"big")
    sent: list[object] = []

    def answer(request: ApiRequest) -> tuple[int, bytes]:
        assert request.upload is not None
        assert not stored.closed
        sent.append((request.upload.content, request.upload.size))
        return 201, b"{}"

    source = SimpleNamespace(open=lambda _: stored)
    ports = replace(ports, backup_records=cast(Any, SimpleNamespace(source=source)))
    ports.api.handler = answer
    ports.directory.user_rows["anna"] = User("anna", "anna@example.com", "person", False, True, None, 0, None)
    result = apply_again(ports, path, Options(yes=True))
    assert (result.files, result.left, sent) == (1, (), [(stored, 3)])
    assert stored.closed


class Unread(io.BytesIO):
    """A stream that nobody may read as a whole."""

    def read(self, size: int | None = -1, /) -> bytes:
        assert size is not None
        assert size > 0
        return super().read(size)
