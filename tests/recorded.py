"""Answers of running servers, recorded by release in `releases/answers`; names and secrets in them are replaced."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

ANSWERS = Path(__file__).parent / "releases/answers"


def recorded(name: str) -> Any:
    """Return the recorded answers of a release by their names, or a list of readings."""
    return json.loads((ANSWERS / f"{name}.json").read_text(encoding="utf-8"))
