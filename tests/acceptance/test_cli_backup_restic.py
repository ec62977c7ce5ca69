"""A stack whose backups are in a restic repository."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from field_server import FieldServer
from qfc_command import Qfc
from requirements import require

pytestmark = pytest.mark.slow


def test_sets_lie_in_a_restic_repository(qfc: Qfc, tmp_path: Path) -> None:
    require("restic", shutil.which("restic") is not None, "apt-get install restic")
    environment = {"QFC_BACKUP_ENGINE": "restic", "QFC_BACKUP_REPOSITORY": str(tmp_path / "repository")}
    qfc.ok("init", "local", "--workers", "1")
    qfc.ok("up")
    server = FieldServer(qfc)
    for name in ("photo.jpg", "other.jpg"):
        server.upload(name, name.encode())
    files = server.files()
    made = qfc.ok("db", "backup", **environment)
    assert (made["verified"], made["objects"], made["path"]) == (True, 2, f"restic {tmp_path / 'repository'}")
    assert "The password of the restic repository: " in qfc.ok("db", "keys", "--sheet", **environment)["sheet"]

    shutil.rmtree(qfc.home / "local/node/blobs")
    server.http.delete(f"projects/{server.project}/")
    result = qfc.ok("db", "restore", "--yes", "--no-safety-set", **environment)
    assert result["objects_added"] == 2
    assert server.files() == files
    assert qfc.ok("db", "verify", "--full", **environment)["ok"]
    server.http.close()
    qfc.ok("down", "--now")
