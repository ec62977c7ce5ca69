"""`qfc deploy`: change the release of a deployment, with a way back."""

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

HELP = """Deploy a release of the deployment's git repository, with a way back.

Checks first; then .env, images and the commit are kept. The images are built (or pulled) while the old release serves.
Workers finish. From then on whoever writes is answered 503 with Retry-After, and tries again: the database is dumped
and the dump read back, migrations run, the release starts and has to pass a gate: its API, a file up and down through
the public address, one job. Whatever fails, everything goes back by itself: code, images and database.

\b
  qfc deploy --tag v26.3 --migrate --collectstatic
  qfc deploy --tag v26.3 --dry-run     what would be done, and what the checks say
  qfc deploy rollback                  back to the release before
"""
RESULTS = {
    DeployState.DEPLOYED: "{after} is deployed.",
    DeployState.ROLLED_BACK: "{after} is not deployed; everything is back at {before}.",
    DeployState.UNCHANGED: "{after} is not deployed; nothing was changed.",
}


def skipping(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add the option that names checks which do not stop a deployment, and its earlier name."""
    earlier = click.option("--pass", "passed", multiple=True, hidden=True)
    named = click.option(
        "--skip-check", "skipped", multiple=True, metavar="CHECK", help="Deploy although this check fails; repeatable."
    )
    return named(earlier(function))


@click.group("deploy", invoke_without_command=True, help=HELP)
@click.option("--tag", metavar="T", help="The release with this tag.")
@click.option("--branch", metavar="B", help="The newest state of this branch.")
@click.option("--commit", metavar="C", help="Exactly this commit.")
@click.option("--migrate", is_flag=True, help="Migrate the database.")
@click.option("--collectstatic", is_flag=True, help="Collect static files.")
@click.option("--build", "build", is_flag=True, help="Build the images; what is done without --pull too.")
@click.option("--pull", "pull", is_flag=True, help="Pull the images.")
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
        raise UsageError("--build and --pull exclude each other.", hint="Give one of them.")
    source = ImageSource.PULL if pull else ImageSource.BUILD
    result = deploy(session.ports, DeployOptions(source=source, skipped=(*skipped, *passed), **wanted), session.options)
    return write_deployed(session, result)


@command.command("rollback")
@click.argument("to", required=False)
@click.option("--with-data", is_flag=True, help="Bring back the database of then too; a dump of now is kept.")
@skipping
@pass_session
def rollback_command(
    session: Session, to: str | None, with_data: bool, skipped: tuple[str, ...], passed: tuple[str, ...]
) -> int:
    """Go back to the release before a deployment: the last one, or TO, its id or release in `qfc deploy history`.

    Images are those of then, nothing is built. A deployment that was broken off is finished or undone instead.
    """
    options = RollbackOptions(to, with_data, ("clean tree", *skipped, *passed))
    return write_deployed(session, deploy_rollback(session.ports, options, session.options))


@command.command("history")
@pass_session
def history_command(session: Session) -> None:
    """What was deployed, by whom, with which result; the ways back."""
    result = deploy_history(session.ports)
    session.writer.result(result, lambda writer: _write_history(writer, result), quiet=str(result.now))


def write_deployed(session: Session, result: Deployed) -> int:
    """Write what became of a deployment; return the exit code."""
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
        paragraph(writer, f"The step {result.failed_step} failed: {result.message}")
        for line in result.log.splitlines():
            writer.line(f"  | {line}")
        if result.hint:
            paragraph(writer, result.hint)
    writer.line(RESULTS[result.result].format(before=result.before, after=result.after))
    total = sum(step.seconds for step in result.steps)
    writer.line(f"{len(result.steps)} steps in {seconds_text(total)}. Dump of before: {result.backup or 'none'}")


def _write_checks(writer: Writer, result: Deployed) -> None:
    rows = [
        (one.id, "ok" if one.is_well else "failed" if stops_deployment(one) else "warning", one.evidence)
        for one in result.checks
    ]
    for name, mark, detail in rows:
        writer.line(f"{name:<16}  {writer.paint(f'{mark:<7}')}  {detail}")
    writer.line()


def _write_history(writer: Writer, result: History) -> None:
    writer.line(f"The files are those of {result.now}.")
    lines = [*([result.open] if result.open else []), *result.deployments]
    if not lines:
        writer.line("Nothing was deployed by qfc yet.")
        return
    rows = [
        (one.id, time_text(one.began_at), one.kind, f"{one.before} → {one.after}", one.result,
         seconds_text(one.seconds), "code and data" if one.with_data else "code" if one.way_back else None)
        for one in lines
    ]  # fmt: skip
    writer.table(("ID", "TIME (UTC)", "KIND", "RELEASE", "RESULT", "TOOK", "WAY BACK"), rows, right=(5,), folded=(3,))
