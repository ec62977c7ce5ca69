"""The result of a diagnosis, for people and for machines."""

from __future__ import annotations

import click

from ..operations.queue_change import count
from ..operations.sync_diagnose import Diagnosis
from ..stack.findings import Finding, Result
from .output import Writer
from .session import Session
from .tables import paragraph

fix_option = click.option("--fix", is_flag=True, help="Repair what is safe; ask before any other repair.")
WORDS = {Result.FIXED: "repaired", Result.FAILED: "repair failed", Result.SKIPPED: "unknown"}


def write_diagnosis(session: Session, result: Diagnosis) -> int:
    """Write a diagnosis; return the exit code."""
    quiet = "\n".join(one.id for one in result.findings)
    session.writer.result(result, lambda writer: _write(writer, result), quiet=quiet)
    return result.exit_code


def _write(writer: Writer, result: Diagnosis) -> None:
    for finding in result.findings:
        _write_finding(writer, finding)
    verdict = "ready" if result.ready else "not ready"
    findings = count(sum(one.result is not Result.SKIPPED for one in result.findings), "finding")
    writer.line(f"Synchronisation is {verdict}: {len(result.checked)} checks, {findings}.")


def _write_finding(writer: Writer, finding: Finding) -> None:
    word = WORDS.get(finding.result, finding.severity.value)
    paragraph(writer, f"{finding.id}  {finding.title} ({writer.paint(word)})")
    paragraph(writer, finding.evidence, indent=4)
    if finding.result in (Result.FOUND, Result.FAILED):
        paragraph(writer, f"→ {finding.fix}", indent=4)
    writer.line()
