"""Run a command while a PostgreSQL server with the node's tables waits for the tests that it starts.

Where such a server runs already, `QFC_TEST_SERVER` names it.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path

sys.path.insert(0, "tests")

from conftest import RUNNING_SERVER, make_template
from qfc.drivers.postgres_server import temporary_server


def main(argv: list[str]) -> int:
    """Run the command; return its exit code."""
    if RUNNING_SERVER in os.environ:
        return subprocess.run(argv, check=False).returncode
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    with tempfile.TemporaryDirectory(prefix="qfc-mutate-", dir="/tmp") as name:
        folder = Path(name)
        folder.chmod(0o755)
        (folder / "postgres").mkdir(mode=0o755)
        with temporary_server(folder / "postgres", settings={"max_connections": "200"}) as server:
            make_template(server, folder / "template")
            environment = {**os.environ, RUNNING_SERVER: json.dumps(asdict(server))}
            return subprocess.run(argv, env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
