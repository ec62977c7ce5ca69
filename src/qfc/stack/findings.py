"""Findings: one vocabulary for checks, health, deployments and certificates.

A finding names what was checked (`id`), its state (`verdict`), the evidence for it (`evidence`) and what to do about it
(`fix`). The worst finding decides about the whole.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from .model import Verdict

#: From the best to the worst. Something that could not be checked is never ok.
ORDER = (Verdict.OK, Verdict.UNKNOWN, Verdict.DEGRADED, Verdict.DOWN)


class Severity(StrEnum):
    """How much it matters: `CRITICAL` stops synchronisation for somebody, `WARNING` will, `INFO` is worth knowing."""

    CRITICAL = "critical"
    WARNING = "warning"
    INFO = "info"

    @property
    def verdict(self) -> Verdict:
        """The verdict on something that has a problem of this severity."""
        return {Severity.CRITICAL: Verdict.DOWN, Severity.WARNING: Verdict.DEGRADED}.get(self, Verdict.OK)


class Auto(StrEnum):
    """Whether the suite repairs a problem: by itself, after a question, or not at all."""

    SAFE = "safe"
    ASK = "ask"
    NO = "no"


class Result(StrEnum):
    """The result of a check: no problem, a problem, and the outcome of its repair. `SKIPPED`: it could not look."""

    CLEAR = "clear"
    FOUND = "found"
    FIXED = "fixed"
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass(frozen=True)
class Finding:
    """The finding of a check. `severity` is that of the problem, whether it was found or not.

    `latency_ms` is how long the answer took; None where it was not measured.
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
        """Whether it was checked and nothing is wrong."""
        return self.verdict is Verdict.OK


def clear(id: str, evidence: str = "", *, severity: Severity = Severity.CRITICAL) -> Finding:
    """Return the finding of a check that found nothing wrong."""
    return Finding(id, Verdict.OK, evidence, severity, result=Result.CLEAR)


def problem(id: str, severity: Severity, evidence: str) -> Finding:
    """Return the finding of a check that found a problem."""
    return Finding(id, severity.verdict, evidence, severity)


def unknown(id: str, evidence: str, *, severity: Severity = Severity.INFO) -> Finding:
    """Return the finding of a check that could not look."""
    return Finding(id, Verdict.UNKNOWN, evidence, severity, result=Result.SKIPPED)


def worst(findings: Iterable[Finding]) -> Verdict:
    """Return the worst verdict; unknown without any finding."""
    return max((one.verdict for one in findings), key=ORDER.index, default=Verdict.UNKNOWN)
