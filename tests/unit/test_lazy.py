"""Packages that import their names when these are used."""

from __future__ import annotations

import subprocess
import sys

import pytest

import qfc.stack.model
from qfc import lazy


def test_a_status_loads_nothing_of_a_diagnosis_or_a_deployment() -> None:
    code = "import sys, qfc.cli.main, qfc.cli.status, qfc.wiring.compose; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    unused = ("model.inspection", "model.conditions", "model.deployment", "ports.deployment", "ports.diagnosis.host")
    assert not {f"qfc.stack.{name}" for name in unused} & set(done.stdout.split())


def test_every_listed_name_can_be_imported_and_no_other() -> None:
    assert all(hasattr(qfc.stack.model, name) for name in qfc.stack.model.__all__)
    with pytest.raises(AttributeError, match=r"module 'qfc\.stack\.model' has no attribute 'Nothing'"):
        lazy.loader("qfc.stack.model", qfc.stack.model.__file__)("Nothing")
