"""`qfc doctor`: everything that is known to go wrong, looked for at once."""

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
@click.option("--no-proof", is_flag=True, help="Leave out the project that is sent up and fetched again.")
@click.option(
    "--report",
    "path",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write a report without secrets, names and addresses, to be attached to an issue.",
)
@pass_session
def command(session: Session, fix: bool, no_proof: bool, path: Path | None) -> int:
    """Look for every known problem: synchronisation, .env, release, certificate, files, accounts.

    Exit code 0 only when nothing critical is left.
    """
    result = diagnose(session.ports, EVERYTHING, session.options, fix=fix, proof=not no_proof)
    if path is not None:
        session.writer.remark(f"Report: {write_report(session.ports, result, path)}. Read it before you give it away.")
    return write_diagnosis(session, result)
