"""QGIS as a process that answers many requests: starting it takes longer than a hundred edits."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

PYTHON = "/usr/bin/python3"
SCRIPTS = Path(__file__).parent / "qgis_scripts"


@cache
def qgis_is_there() -> bool:
    """Whether Debian's Python finds QGIS."""
    command = [PYTHON, "-c", "import qgis.core"]
    return Path(PYTHON).exists() and subprocess.run(command, capture_output=True, timeout=120).returncode == 0


def environment() -> dict[str, str]:
    """Without a screen, and without our own packages."""
    return {**os.environ, "QT_QPA_PLATFORM": "offscreen", "PYTHONPATH": "", "OGR_SQLITE_SYNCHRONOUS": "OFF"}


class Qgis:
    """A running `edit_layers.py`."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def ask(self, action: str, **request: Any) -> dict[str, Any]:
        """Send a request and return its answer."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps({"do": action, **request}) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        assert line, f"QGIS ended with {self._process.wait()}"
        answer = json.loads(line)
        assert "error" not in answer, answer["error"]
        return answer


@contextmanager
def running_qgis(log: Path) -> Iterator[Qgis]:
    """QGIS, until the block ends. What it writes about itself goes to `log`."""
    command = [PYTHON, str(SCRIPTS / "edit_layers.py")]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with log.open("w") as errors, subprocess.Popen(command, env=environment(), stderr=errors, **pipes) as process:
        try:
            yield Qgis(process)
        finally:
            assert process.stdin is not None
            process.stdin.close()
            process.wait(60)
