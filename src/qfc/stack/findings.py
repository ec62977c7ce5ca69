"""What a look at something found: one vocabulary for checks, health, deployments and certificates.

A check names what it looks at (`id`), says how that is (`Verdict`), what shows it (`evidence`), and what to do about it
(`fix`). The worst finding decides about the whole.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from .model import Verdict

#: From the best to the worst. What could not be looked at is never ok.
ORDER = (Verdict.OK, Verdict.UNKNOWN, Verdict.DEGRADED, Verdict.DOWN)


class Severity(StrEnum):
    """How much it matters: `CRITICAL` stops synchronisation for somebody, `WARNING` will, `INFO` is worth knowing."""

    CRITICAL = "critical"
    WARNING = "warning"
    INFO = "info"

    @property
    def verdict(self) -> Verdict:
        """How something is that has a problem of this severity."""
        return {Severity.CRITICAL: Verdict.DOWN, Severity.WARNING: Verdict.DEGRADED}.get(self, Verdict.OK)


class Auto(StrEnum):
    """Whether the suite repairs it: by itself, after a question, or not at all."""

    SAFE = "safe"
    ASK = "ask"
    NO = "no"


class Result(StrEnum):
    """What came of a look: nothing, a problem, and what became of that. `SKIPPED`: it could not be looked at."""

    CLEAR = "clear"
    FOUND = "found"
    FIXED = "fixed"
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass(frozen=True)
class Finding:
    """What a check found. `severity` is that of the problem, whether it is there or not.

    `latency_ms` is how long the answer took, None where nobody measured it.
    """

    id: str
    verdict: Verdict
    evidence: str = ""
    severity: Severity = Severity.CRITICAL
    title: str = ""
    fix: str = ""
    auto: Auto = Auto.NO
    result: Result = Result.FOUND
    latency_ms: float | None = None

    @property
    def is_well(self) -> bool:
        """Whether it was looked at and nothing is wrong."""
        return self.verdict is Verdict.OK


def clear(id: str, evidence: str = "", *, severity: Severity = Severity.CRITICAL) -> Finding:
    """Return what a check says that found nothing wrong."""
    return Finding(id, Verdict.OK, evidence, severity, result=Result.CLEAR)


def problem(id: str, severity: Severity, evidence: str) -> Finding:
    """Return what a check says that found a problem."""
    return Finding(id, severity.verdict, evidence, severity)


def unknown(id: str, evidence: str, *, severity: Severity = Severity.INFO) -> Finding:
    """Return what a check says that could not look."""
    return Finding(id, Verdict.UNKNOWN, evidence, severity, result=Result.SKIPPED)


def worst(findings: Iterable[Finding]) -> Verdict:
    """Return the worst verdict; that nothing was looked at is unknown."""
    return max((one.verdict for one in findings), key=ORDER.index, default=Verdict.UNKNOWN)
