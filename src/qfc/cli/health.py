"""`qfc health`: probe a stack the way its clients reach it."""

from __future__ import annotations

from typing import Any

import click

from ..operations.health import HealthReport, endpoint, health
from ..stack.model import Verdict
from .output import Writer
from .session import Session, pass_session


@click.command("health")
@click.option("--endpoint", "path", metavar="PATH", help="Probe only this path, for example /api/v1/status/.")
@pass_session
def command(session: Session, path: str | None) -> int:
    """Probe processes, API, database, storage, queue, disk and response time.

    With --verbose also probe and time each leg: public address, nginx, application, cache, workers, and an upload and
    download round trip that compares every byte.

    Exit code 1 unless the verdict is ok.
    """
    result = endpoint(session.ports, path) if path else health(session.ports, thorough=session.verbose)
    session.writer.result(
        document(result), lambda writer: _write(writer, result, session.verbose), quiet=result.verdict
    )
    return 0 if result.verdict is Verdict.OK else 1


def document(result: HealthReport) -> dict[str, Any]:
    """Return the report as `--json` prints it."""
    checks = [
        {"name": one.id, "verdict": one.verdict, "latency_ms": one.latency_ms, "detail": one.evidence}
        for one in result.checks
    ]
    return {"stack": result.stack, "verdict": result.verdict, "checks": checks}


def _write(writer: Writer, result: HealthReport, verbose: bool) -> None:
    writer.line(f"{result.stack} is {writer.paint(result.verdict)}")
    if verbose:
        rows = [
            (check.id, check.verdict, "-" if check.latency_ms is None else f"{check.latency_ms:.1f} ms", check.evidence)
            for check in result.checks
        ]
        writer.table(("CHECK", "VERDICT", "TIME", "DETAIL"), rows, right=(2,), folded=(3,))
    else:
        rows = [(one.id, one.verdict, one.evidence) for one in result.checks]
        writer.table(("CHECK", "VERDICT", "DETAIL"), rows, folded=(2,))
