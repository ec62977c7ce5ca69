"""Deploy a release: checks, what the way back needs, the release, the proof that it works; else back again."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace

from ...errors import QfcError, RefusedError, UsageError
from ...stack.findings import Finding
from ...stack.model import Revision, SourceState
from ...stack.ports import Ports
from ...stack.rollout import DeployState, ImageSource, Record, Step, Took, steps_of
from ..guard import Guard, Options, guarded
from .checks import Candidate, checks, stops_deployment
from .journal import Journal, forget_old
from .steps import APP, Steps
from .undo import go_back

SENTENCES = {
    Step.CHECK: "Check what has to be so",
    Step.SAVE: "Keep what the way back needs: .env, images, migrations",
    Step.CHECKOUT: "Check out {after}",
    Step.IMAGES: "{source} the images",
    Step.DRAIN: "Let the workers finish",
    Step.HOLD: "Hold off writers: they are answered 503 and try again",
    Step.DUMP: "Dump the database and read the dump back",
    Step.RESTORE: "Bring back the database of then",
    Step.MIGRATE: "Migrate the database",
    Step.STATIC: "Collect static files",
    Step.START: "Start the release, without workers",
    Step.GATE: "Prove that it works: API, a file up and down, a job",
    Step.RELEASE: "Let writers in, then start the workers",
}
SOURCES = {ImageSource.BUILD: "Build", ImageSource.PULL: "Pull", ImageSource.KEPT: "Take back"}
#: So many lines of a service's log are shown after a failure.
LOG_LINES = 15


@dataclass(frozen=True)
class DeployOptions:
    """What is to be deployed, and how. `skipped` names checks that do not stop it."""

    branch: str | None = None
    tag: str | None = None
    commit: str | None = None
    migrate: bool = False
    collectstatic: bool = False
    source: ImageSource = ImageSource.BUILD
    skipped: Sequence[str] = ()


@dataclass(frozen=True)
class Deployed:
    """What became of a deployment. `log` is the end of what the failing part said; `backup` the dump of before.

    `recovered`: it had been broken off, and to finish or undo it was all that was wanted.
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
        """0 only when the release that was wanted runs, or would."""
        return 0 if self.result is DeployState.DEPLOYED or self.dry_run or self.recovered else 1


def deploy(ports: Ports, wanted: DeployOptions, options: Options) -> Deployed:
    """Deploy a release. Raises RefusedError when a check stops it, before anything was changed."""
    deployment = ports.deployment
    kind, ref = _target(wanted)
    state = deployment.source.state()
    after = deployment.source.resolve(ref, kind=kind, fetch=not options.dry_run)
    question = f"Deploy {after} in place of {state.revision}?"
    with guarded(ports, "deploy", target=str(after), options=options, question=question) as guard:
        # Recovery of an earlier one, by the guard, may have changed where the files stand.
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
        raise UsageError("Say which release: --tag T, --branch B or --commit C.", hint="See: qfc deploy --help")
    return chosen[0]


def new_record(
    ports: Ports, kind: str, state: SourceState, after: Revision, wanted: DeployOptions, *, branch: str | None
) -> Record:
    """Return the record of a deployment that is about to begin."""
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
    """Return what the checks found. Raises RefusedError with all that stops the deployment."""
    guard.step(SENTENCES[Step.CHECK])
    found = checks(ports, Candidate(record.before, record.after, state.changed, record.source))
    stopping = [one for one in found if stops_deployment(one) and one.id not in skipped]
    if stopping and not guard.dry_run:
        told = "; ".join(f"{one.id}: {one.evidence}" for one in stopping)
        names = " ".join(f"--skip-check {one.id!r}" for one in stopping)
        raise RefusedError(f"Nothing was changed. {told}", hint=f"Correct it; or, if you know better: {names}")
    return found


def carry_out(ports: Ports, guard: Guard, record: Record, found: tuple[Finding, ...]) -> Deployed:
    """Do all steps; after one that fails go back. With `--dry-run` only say them."""
    journal = Journal(ports.records, ports.clock, record)
    steps, failed = Steps(ports, journal), None
    try:
        for step in steps_of(record)[1:]:
            failed = step
            if guard.step(_sentence(step, record)):
                with journal.step(step):
                    steps.do(step)
        if not guard.dry_run:
            journal.close(DeployState.DEPLOYED)
    except BaseException as error:  # Ctrl-C goes back too; it is raised again there
        if Step.GATE in journal.record.done:
            if isinstance(error, QfcError):
                raise _not_all_up(journal.record, error) from error
            raise
        return _went_wrong(ports, guard, journal, found, failed, error)
    if guard.dry_run:
        return _result(journal, DeployState.UNCHANGED, found, guard)
    forget_old(ports.records)
    return _result(journal, DeployState.DEPLOYED, found, guard)


def _not_all_up(record: Record, error: QfcError) -> QfcError:
    """Return the error for a release that has passed the gate and is not complete.

    Nobody goes back from there: writers are let in and workers work, and what they do would be lost.
    """
    return QfcError(
        f"{record.after} has passed the gate and serves, but not all of it is up: {error.message}",
        hint="Correct that, then type: qfc deploy rollback   (it finishes what is left, and does not go back)",
    )


def _went_wrong(
    ports: Ports,
    guard: Guard,
    journal: Journal,
    found: tuple[Finding, ...],
    failed: Step | None,
    error: BaseException,
) -> Deployed:
    """Go back, and tell what failed with its own words. What is no error of ours is raised again afterwards."""
    log = _log(ports, failed, error)
    message = error.message if isinstance(error, QfcError) else f"{type(error).__name__} at the step {failed}."
    guard.report(f"{message} Going back.")
    if log:
        journal.log(log)
    state = go_back(ports, journal, message, guard.report)
    if not isinstance(error, QfcError):
        raise error
    told = _result(journal, state, found, guard)
    shown = "\n".join(log.splitlines()[-LOG_LINES:])
    return replace(told, failed_step=str(failed), message=message, hint=error.hint, log=shown)


def _log(ports: Ports, failed: Step | None, error: BaseException) -> str:
    """Return what the failing part said: the command's own words, else the end of the application's log."""
    said = getattr(error, "said", "") or getattr(error.__cause__, "said", "")
    if not said and failed in (Step.START, Step.GATE, Step.RELEASE):
        try:
            said = ports.deployment.rollout.last_words(APP)
        except QfcError:
            said = ""
    return said.strip()


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
