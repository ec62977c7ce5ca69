"""What a diagnosis finds, and what became of it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from ..checks import Auto, Severity


class Result(StrEnum):
    """What became of a finding. `SKIPPED`: it could not be looked at."""

    FOUND = "found"
    FIXED = "fixed"
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass(frozen=True)
class Finding:
    """A problem that is there, was there, or could not be looked for."""

    id: str
    severity: Severity
    title: str
    evidence: str
    fix: str
    auto: Auto
    result: Result = Result.FOUND
