"""`qfc deploy`: deploy another release, with rollback."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from ..errors import UsageError
from ..operations.deploy import (
    Deployed,
    DeployOptions,
    History,
    RollbackOptions,
    deploy,
    deploy_history,
    deploy_rollback,
)
from ..operations.deploy.checks import stops_deployment
from ..stack.findings import Finding, Severity
from ..stack.rollout import DeployState, ImageSource
from .output import Writer, seconds_text, time_text
from .session import Session, pass_session
from .tables import paragraph

HELP = """Deploy another release from the deployment's git repository, with rollback.

Runs checks, then saves .env, the images and the commit. The images are built (or pulled) while the old release
serves; then workers finish their jobs. From then on writes are blocked (maintenance mode): clients get 503 with
Retry-After and try again. The database is dumped, the dump is read back, migrations run and the release starts. It
has to pass a gate: its API, an upload and download round trip through the public address, and one job. If anything
fails, the code, the images and the database are restored automatically.

\b
  qfc deploy --tag v26.3 --migrate --collectstatic
  qfc deploy --tag v26.3 --dry-run     show the plan and the results of the checks
  qfc deploy rollback                  go back to the previous release
"""
RESULTS = {
    DeployState.DEPLOYED: "{after} is deployed.",
    DeployState.ROLLED_BACK: "{after} is not deployed; everything is restored to {before}.",
    DeployState.UNCHANGED: "{after} is not deployed; nothing was changed.",
}


def skipping(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add the option that names checks to skip, and its earlier name."""
    earlier = click.option("--pass", "passed", multiple=True, hidden=True)
    named = click.option(
        "--skip-check", "skipped", multiple=True, metavar="CHECK", help="Deploy even if this check fails; repeatable."
    )
    return named(earlier(function))


@click.group("deploy", invoke_without_command=True, help=HELP)
@click.option("--tag", metavar="T", help="Deploy this tag.")
@click.option("--branch", metavar="B", help="Deploy the newest commit of this branch.")
@click.option("--commit", metavar="C", help="Deploy exactly this commit.")
@click.option("--migrate", is_flag=True, help="Migrate the database.")
@click.option("--collectstatic", is_flag=True, help="Collect static files.")
@click.option("--build", "build", is_flag=True, help="Build the images; this is the default.")
@click.option("--pull", "pull", is_flag=True, help="Pull the images instead of building them.")
@skipping
@pass_session
@click.pass_context
def command(
    context: click.Context,
    session: Session,
    build: bool,
    pull: bool,
    skipped: tuple[str, ...],
    passed: tuple[str, ...],
    **wanted: Any,
) -> int | None:
    """Deploy a release."""
    if context.invoked_subcommand is not None:
        return None
    if build and pull:
        raise UsageError("--build and --pull exclude each other.", hint="Give only one of them.")
    source = ImageSource.PULL if pull else ImageSource.BUILD
    result = deploy(session.ports, DeployOptions(source=source, skipped=(*skipped, *passed), **wanted), session.options)
    return write_deployed(session, result)


@command.command("rollback")
@click.argument("to", required=False)
@click.option(
    "--with-data",
    is_flag=True,
    help="Also restore the database from before that deployment; a dump of the current one is kept.",
)
@skipping
@pass_session
def rollback_command(
    session: Session, to: str | None, with_data: bool, skipped: tuple[str, ...], passed: tuple[str, ...]
) -> int:
    """Go back to the previous release, or to TO: a release, or the id of the deployment to undo.

    Both are listed by `qfc deploy history`. The saved images are used; nothing is built. If a deployment was
    interrupted, it is finished or undone instead.
    """
    options = RollbackOptions(to, with_data, ("clean tree", *skipped, *passed))
    return write_deployed(session, deploy_rollback(session.ports, options, session.options))


@command.command("history")
@pass_session
def history_command(session: Session) -> None:
    """List past deployments, with their results and what can be rolled back."""
    result = deploy_history(session.ports)
    session.writer.result(result, lambda writer: _write_history(writer, result), quiet=str(result.now))


def write_deployed(session: Session, result: Deployed) -> int:
    """Write the outcome of a deployment; return the exit code."""
    document = {
        "from": result.before.name,
        "to": result.after.name,
        "from_commit": result.before.commit,
        "to_commit": result.after.commit,
        "steps": result.steps,
        "result": result.result,
        "backup": result.backup,
        "checks": [_check_document(one) for one in result.checks],
        "plan": result.plan,
        "dry_run": result.dry_run,
        "failed_step": result.failed_step,
        "message": result.message,
        "hint": result.hint,
        "log": result.log,
        "recovered": result.recovered,
    }
    session.writer.result(document, lambda writer: _write(writer, result), quiet=result.result.value)
    return result.exit_code


def _check_document(finding: Finding) -> dict[str, Any]:
    return {
        "name": finding.id,
        "ok": finding.is_well,
        "detail": finding.evidence,
        "blocks": finding.severity is Severity.CRITICAL,
        "verdict": finding.verdict,
    }


def _write(writer: Writer, result: Deployed) -> None:
    if result.dry_run:
        _write_checks(writer, result)
        for step in result.plan:
            writer.line(f"Would: {step}")
        return
    if result.failed_step:
        paragraph(writer, f"Step {result.failed_step} failed: {result.message}")
        for line in result.log.splitlines():
            writer.line(f"  | {line}")
        if result.hint:
            paragraph(writer, result.hint)
    writer.line(RESULTS[result.result].format(before=result.before, after=result.after))
    total = sum(step.seconds for step in result.steps)
    writer.line(f"{len(result.steps)} steps in {seconds_text(total)}. Database dump: {result.backup or 'none'}")


def _write_checks(writer: Writer, result: Deployed) -> None:
    rows = [
        (one.id, "ok" if one.is_well else "failed" if stops_deployment(one) else "warning", one.evidence)
        for one in result.checks
    ]
    for name, mark, detail in rows:
        writer.line(f"{name:<16}  {writer.paint(f'{mark:<7}')}  {detail}")
    writer.line()


def _write_history(writer: Writer, result: History) -> None:
    writer.line(f"Checked out: {result.now}")
    lines = [*([result.open] if result.open else []), *result.deployments]
    if not lines:
        writer.line("qfc has not deployed anything yet.")
        return
    rows = [
        (one.id, time_text(one.began_at), one.kind, f"{one.before} → {one.after}", one.result,
         seconds_text(one.seconds), "code and data" if one.with_data else "code" if one.way_back else None)
        for one in lines
    ]  # fmt: skip
    writer.table(("ID", "TIME (UTC)", "KIND", "RELEASE", "RESULT", "TOOK", "ROLLBACK"), rows, right=(5,), folded=(3,))
