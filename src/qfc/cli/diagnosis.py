"""The result of a diagnosis, for people and for machines."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import click

from ..operations.queue_change import count
from ..operations.sync_diagnose import Diagnosis
from ..stack.findings import Finding, Result
from .output import Writer
from .session import Session
from .tables import paragraph

fix_option = click.option("--fix", is_flag=True, help="Repair what is safe; ask before any other repair.")
#: So many checks that could not look for the same reason are still shown one by one.
SEVERAL = 3
WORDS = {Result.FIXED: "repaired", Result.FAILED: "repair failed", Result.SKIPPED: "unknown"}


def write_diagnosis(session: Session, result: Diagnosis) -> int:
    """Write a diagnosis; return the exit code."""
    quiet = "\n".join(one.id for one in result.findings)
    session.writer.result(result, lambda writer: write_findings(writer, result), quiet=quiet)
    return result.exit_code


def write_findings(writer: Writer, result: Diagnosis) -> None:
    """Print findings, the plan of a dry run, and the verdict."""
    blind = _unexamined(result.findings)
    for finding in result.findings:
        if finding.evidence not in blind:
            _write_finding(writer, finding)
    for evidence, number in blind.items():
        paragraph(writer, f"{number} checks could not look: {evidence}")
        writer.line()
    for step in result.steps if result.dry_run else ():
        paragraph(writer, f"Would: {step}")
    verdict = "ready" if result.ready else "not ready"
    findings = count(sum(one.result is not Result.SKIPPED for one in result.findings), "finding")
    writer.line(f"Synchronisation is {verdict}: {len(result.checked)} checks, {findings}.")


def _unexamined(findings: Sequence[Finding]) -> dict[str, int]:
    """Return the reasons for which several checks could not look, and how many each."""
    reasons = Counter(one.evidence for one in findings if one.result is Result.SKIPPED)
    return {reason: number for reason, number in reasons.items() if number > SEVERAL}


def _write_finding(writer: Writer, finding: Finding) -> None:
    word = WORDS.get(finding.result, finding.severity.value)
    paragraph(writer, f"{finding.id}  {finding.title} ({writer.paint(word)})")
    paragraph(writer, finding.evidence, indent=4)
    if finding.result in (Result.FOUND, Result.FAILED):
        paragraph(writer, f"→ {finding.fix}", indent=4)
    writer.line()
