"""Deploy a release: run checks, save what a rollback needs, deploy, prove that it works; on failure go back."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace

from ...errors import QfcError, RefusedError, UsageError
from ...stack.findings import Finding
from ...stack.model import Revision, SourceState
from ...stack.ports import Ports
from ...stack.progress import counted
from ...stack.rollout import DeployState, ImageSource, Record, Step, Took, steps_of
from ..guard import Guard, Options, guarded
from .checks import Candidate, checks, stops_deployment
from .journal import Journal, forget_old
from .steps import APP, Steps
from .undo import go_back

SENTENCES = {
    Step.CHECK: "Check the preconditions",
    Step.SAVE: "Save what a rollback needs: .env, images, list of migrations",
    Step.CHECKOUT: "Check out {after}",
    Step.IMAGES: "{source} the images",
    Step.DRAIN: "Stop the workers after their jobs",
    Step.HOLD: "Block writes (maintenance mode): clients get 503 and try again",
    Step.DUMP: "Dump the database and read the dump back",
    Step.RESTORE: "Restore the database from the dump",
    Step.MIGRATE: "Migrate the database",
    Step.STATIC: "Collect static files",
    Step.START: "Start the release, without workers",
    Step.GATE: "Prove that the release works: API, upload and download round trip, one job",
    Step.RELEASE: "Accept writes again, then start the workers",
}
SOURCES = {ImageSource.BUILD: "Build", ImageSource.PULL: "Pull", ImageSource.KEPT: "Restore"}
#: Lines of a service's log that are shown after a failure.
LOG_LINES = 15


@dataclass(frozen=True)
class DeployOptions:
    """What to deploy, and how. `skipped` names checks that do not stop the deployment."""

    branch: str | None = None
    tag: str | None = None
    commit: str | None = None
    migrate: bool = False
    collectstatic: bool = False
    source: ImageSource = ImageSource.BUILD
    skipped: Sequence[str] = ()


@dataclass(frozen=True)
class Deployed:
    """The outcome of a deployment. `log` is the end of the failing part's output; `backup` is the dump taken before.

    `recovered`: the deployment had been interrupted, and this run only finished or undid it.
    """

    before: Revision
    after: Revision
    steps: tuple[Took, ...]
    result: DeployState
    backup: str | None
    checks: tuple[Finding, ...]
    plan: tuple[str, ...]
    dry_run: bool
    failed_step: str | None = None
    message: str = ""
    hint: str = ""
    log: str = ""
    recovered: bool = False

    @property
    def exit_code(self) -> int:
        """0 when the wanted release is deployed, after a dry run, and after a recovery; else 1."""
        return 0 if self.result is DeployState.DEPLOYED or self.dry_run or self.recovered else 1


def deploy(ports: Ports, wanted: DeployOptions, options: Options) -> Deployed:
    """Deploy a release. Raises RefusedError when a check stops it, before anything is changed."""
    deployment = ports.deployment
    kind, ref = _target(wanted)
    state = deployment.source.state()
    after = deployment.source.resolve(ref, kind=kind, fetch=not options.dry_run)
    question = f"Replace {state.revision} with {after}?"
    with guarded(ports, "deploy", target=str(after), options=options, question=question) as guard:
        # The guard may have recovered an interrupted deployment: the checkout may have changed.
        state = deployment.source.state()
        record = new_record(ports, "deploy", state, after, wanted, branch=ref if kind == "branch" else None)
        found = looked_at(ports, guard, state, record, wanted.skipped)
        result = carry_out(ports, guard, record, found)
        guard.result = f"{result.result}: {record.before} → {record.after}"
    return result


def _target(wanted: DeployOptions) -> tuple[str, str]:
    given = {"branch": wanted.branch, "tag": wanted.tag, "commit": wanted.commit}
    chosen = [(kind, ref) for kind, ref in given.items() if ref]
    if len(chosen) != 1:
        raise UsageError("Give exactly one release: --tag T, --branch B or --commit C.", hint="See: qfc deploy --help")
    return chosen[0]


def new_record(
    ports: Ports, kind: str, state: SourceState, after: Revision, wanted: DeployOptions, *, branch: str | None
) -> Record:
    """Return the record of a new deployment."""
    now = ports.clock.now()
    return Record(
        id=f"{now:%Y%m%d-%H%M%S}-{secrets.token_hex(2)}",
        kind=kind,
        began_at=now,
        by=ports.lock.identity(),
        before=state.revision,
        after=after,
        branch_before=state.branch,
        branch_after=branch,
        source=wanted.source,
        migrate=wanted.migrate,
        collectstatic=wanted.collectstatic,
    )


def looked_at(
    ports: Ports, guard: Guard, state: SourceState, record: Record, skipped: Sequence[str]
) -> tuple[Finding, ...]:
    """Return what the checks found. Raises RefusedError that names everything that stops the deployment."""
    guard.step(SENTENCES[Step.CHECK])
    found = checks(ports, Candidate(record.before, record.after, state.changed, record.source))
    stopping = [one for one in found if stops_deployment(one) and one.id not in skipped]
    if stopping and not guard.dry_run:
        reasons = "; ".join(f"{one.id}: {one.evidence}" for one in stopping)
        names = " ".join(f"--skip-check {one.id!r}" for one in stopping)
        raise RefusedError(f"Nothing was changed. {reasons}", hint=f"Solve this; or, if you know better, add: {names}")
    return found


def carry_out(ports: Ports, guard: Guard, record: Record, found: tuple[Finding, ...]) -> Deployed:
    """Run all steps; go back if one fails. With `--dry-run` only announce them."""
    journal = Journal(ports.records, ports.clock, record)
    steps, failed = Steps(ports, journal), None
    try:
        for step in counted(steps_of(record)[1:], "Deploying", guard.progress):
            failed = step
            if guard.step(_sentence(step, record)):
                with journal.step(step):
                    steps.do(step)
        if not guard.dry_run:
            journal.close(DeployState.DEPLOYED)
    except BaseException as error:  # Ctrl-C goes back too; it is raised again there
        if Step.GATE in journal.record.done:
            if isinstance(error, QfcError):
                raise _incomplete(journal.record, error) from error
            raise
        return _gone_back(ports, guard, journal, found, failed, error)
    if guard.dry_run:
        return _result(journal, DeployState.UNCHANGED, found, guard)
    forget_old(ports.records)
    return _result(journal, DeployState.DEPLOYED, found, guard)


def _incomplete(record: Record, error: QfcError) -> QfcError:
    """Return the error for a release that has passed the gate but is not complete.

    There is no automatic way back from here: clients write and workers run again, and their work would be lost.
    """
    return QfcError(
        f"{record.after} has passed the gate and serves clients, but is not complete: {error.message}",
        hint="Solve this, then type: qfc deploy rollback   (it finishes the deployment; it does not go back)",
    )


def _gone_back(
    ports: Ports,
    guard: Guard,
    journal: Journal,
    found: tuple[Finding, ...],
    failed: Step | None,
    error: BaseException,
) -> Deployed:
    """Go back; return what failed, with its own message. An error that is not ours is raised again afterwards."""
    log = _log(ports, failed, error)
    message = error.message if isinstance(error, QfcError) else f"{type(error).__name__} at step {failed}."
    guard.report(f"{message} Going back.")
    if log:
        journal.log(log)
    state = go_back(ports, journal, message, guard.report)
    if not isinstance(error, QfcError):
        raise error
    result = _result(journal, state, found, guard)
    shown = "\n".join(log.splitlines()[-LOG_LINES:])
    return replace(result, failed_step=str(failed), message=message, hint=error.hint, log=shown)


def _log(ports: Ports, failed: Step | None, error: BaseException) -> str:
    """Return the failing part's output: that of the command, else the end of the application's log."""
    output = getattr(error, "said", "") or getattr(error.__cause__, "said", "")
    if not output and failed in (Step.START, Step.GATE, Step.RELEASE):
        try:
            output = ports.deployment.rollout.last_words(APP)
        except QfcError:
            output = ""
    return output.strip()


def _sentence(step: Step, record: Record) -> str:
    return SENTENCES[step].format(after=record.after, source=SOURCES[record.source])


def _result(journal: Journal, state: DeployState, found: tuple[Finding, ...], guard: Guard) -> Deployed:
    record = journal.record
    return Deployed(
        before=record.before,
        after=record.after,
        steps=record.took,
        result=state,
        backup=record.dump,
        checks=found,
        plan=guard.steps,
        dry_run=guard.dry_run,
    )
