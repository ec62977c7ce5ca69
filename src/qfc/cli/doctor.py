"""`qfc doctor`: check for every known problem."""

from __future__ import annotations

from pathlib import Path

import click

from ..checks import EVERYTHING
from ..operations.doctor_report import write_report
from ..operations.sync_diagnose import diagnose
from .diagnosis import fix_option, write_diagnosis
from .session import Session, pass_session


@click.command("doctor")
@fix_option
@click.option("--no-proof", is_flag=True, help="Skip the proof: a test with a small project on the server.")
@click.option(
    "--report",
    "path",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write a report for an issue, without secrets, names and addresses.",
)
@pass_session
def command(session: Session, fix: bool, no_proof: bool, path: Path | None) -> int:
    """Check for every known problem: synchronisation, .env, release, certificate, files, accounts.

    Exit code 0 only when no critical finding is left.
    """
    result = diagnose(session.ports, EVERYTHING, session.options, fix=fix, proof=not no_proof)
    if path is not None:
        session.writer.remark(f"Report: {write_report(session.ports, result, path)}. Read it before you share it.")
    return write_diagnosis(session, result)
