"""`qfc doctor`: everything that is known to go wrong, looked for at once."""

from __future__ import annotations

import click

from ..checks import EVERYTHING
from ..operations.sync_diagnose import diagnose
from .diagnosis import fix_option, write_diagnosis
from .session import Session, pass_session


@click.command("doctor")
@fix_option
@click.option("--no-proof", is_flag=True, help="Leave out the project that is sent up and fetched again.")
@pass_session
def command(session: Session, fix: bool, no_proof: bool) -> int:
    """Look for every known problem: what sync diagnose looks at, and the deployment's .env.

    Exit code 0 only when nothing critical is left.
    """
    return write_diagnosis(session, diagnose(session.ports, EVERYTHING, session.options, fix=fix, proof=not no_proof))
