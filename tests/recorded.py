"""Answers of running servers, recorded by release in `releases/answers`; names and secrets in them are replaced."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

ANSWERS = Path(__file__).parent / "releases/answers"


def recorded(release: str) -> dict[str, Any]:
    """Return the recorded answers of a release by their names."""
    return json.loads((ANSWERS / f"{release}.json").read_text(encoding="utf-8"))
