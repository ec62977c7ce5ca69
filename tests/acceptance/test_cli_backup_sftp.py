"""Backups on a server that speaks SFTP: made, verified, pruned and restored there."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from field_server import FieldServer
from qfc_command import Qfc
from ssh_server import ACCOUNT, SshServer, running

pytestmark = pytest.mark.slow


def test_sets_lie_on_a_server_that_speaks_sftp(qfc: Qfc, tmp_path: Path) -> None:
    with running(SshServer(tmp_path / "sshd", more="Subsystem sftp internal-sftp")) as sshd:
        place = tmp_path / "box/sets"
        environment = {
            "QFC_BACKUP_SFTP": f"sftp://{ACCOUNT}@127.0.0.1:{sshd.port}{place}",
            "QFC_BACKUP_SSH_CONFIG": str(sshd.folder / "client"),
        }
        qfc.ok("init", "local", "--workers", "1")
        qfc.ok("up")
        server = FieldServer(qfc)
        server.upload("photo.jpg", os.urandom(5_000_000))
        files = server.files()
        made = qfc.ok("db", "backup", **environment)
        assert (made["verified"], made["objects"]) == (True, 1)
        assert made["path"] == f"sftp {ACCOUNT}@127.0.0.1:{sshd.port}:{place}/local"
        assert (place / "local/README.md").exists()
        assert not list(place.rglob(".half-*"))

        server.delete("photo.jpg")
        qfc.ok("db", "restore", "--to", made["backup"], "--yes", **environment)
        assert server.files() == files
        assert qfc.ok("db", "verify", "--all", "--full", **environment)["ok"]
        assert qfc.ok("db", "prune", "--keep-last", "1", "--dry-run", **environment)["kept"]
        server.http.close()
    away = qfc("db", "list", **environment)
    assert away.code == 3
    qfc.ok("down", "--now")
