"""Requirements of tests that a machine may lack: they skip the test with a reason, or fail it if CI requires all."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

SERVERS = Path("/usr/lib/postgresql")
EXTENSIONS = "/usr/share/postgresql/{}/extension/postgis.control"


def require(name: str, available: bool, reason: str) -> None:
    """Continue if the part is present; else skip, or fail if `QFC_TEST_REQUIRE` is `all` or names the part."""
    if available:
        return
    wanted = os.environ.get("QFC_TEST_REQUIRE", "").split(",")
    if "all" in wanted or name in wanted:
        pytest.fail(f"{name} is required here: {reason}", pytrace=False)
    pytest.skip(f"needs {name}: {reason}")


def server_with_postgis() -> Path | None:
    """Return the folder of the newest installed PostgreSQL server's programs that has PostGIS; None without one."""
    found = (program.parent for program in sorted(SERVERS.glob("*/bin/postgres"), reverse=True))
    return next((folder for folder in found if Path(EXTENSIONS.format(folder.parent.name)).exists()), None)
