"""One project of a set, or of a stack: what of it a restore replaces."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class ProjectContent:
    """`name` is OWNER/NAME. `counts` are those that a person understands: files, versions, edits, jobs, people."""

    id: str
    name: str
    counts: Mapping[str, int]
