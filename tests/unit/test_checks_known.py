"""Every check has a test, and the catalogue of known problems is covered."""

from __future__ import annotations

from pathlib import Path

from qfc.checks import EVERYTHING


def test_every_check_has_a_test_and_a_hundred_problems_are_known() -> None:
    texts = [path.read_text() for path in Path(__file__).parents[1].rglob("*.py")]
    untested = [check.id for check in EVERYTHING if not any(f'"{check.id}"' in text for text in texts)]
    assert untested == []
    assert len({problem for check in EVERYTHING for problem in check.known_as()}) >= 100
