"""The fuzzer runs, and no reader fails on its first inputs. Longer: tools/fuzz."""

from __future__ import annotations

import importlib.util
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.skipif(importlib.util.find_spec("atheris") is None, reason="atheris does not exist for this Python")
def test_no_reader_fails_on_the_first_inputs(tmp_path: Path) -> None:
    argv = [str(ROOT / "tools/fuzz"), "--runs", "300", "--seconds", "20"]
    run = subprocess.run(argv, cwd=tmp_path, capture_output=True, text=True, timeout=300)
    assert run.returncode == 0, run.stdout + run.stderr[-5000:]
