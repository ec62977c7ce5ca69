"""Tests that need a part which a machine may lack: skipped with a reason, but a failure where CI wants all parts."""

from __future__ import annotations

import os

import pytest


def require(name: str, available: bool, reason: str) -> None:
    """Go on when the part is there; else skip, or fail when `QFC_TEST_REQUIRE` is `all` or names the part."""
    if available:
        return
    wanted = os.environ.get("QFC_TEST_REQUIRE", "").split(",")
    if "all" in wanted or name in wanted:
        pytest.fail(f"{name} is required here: {reason}", pytrace=False)
    pytest.skip(f"needs {name}: {reason}")
