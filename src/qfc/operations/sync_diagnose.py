"""Is synchronisation ready? Known problems looked for side by side, repaired where that is wanted, then the proof."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from ..checks import Auto, Check, Evidence, Lines, MendsSettings, Outcome, Severity, apply, examine
from ..errors import NotFoundError, QfcError, RefusedError
from ..stack.ports import Ports
from .guard import Guard, Options, guarded
from .proof import Broken, prove

PROOF = "proof"


class Result(StrEnum):
    """What became of a finding. `SKIPPED`: it could not be looked at."""

    FOUND = "found"
    FIXED = "fixed"
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass(frozen=True)
class Finding:
    """A problem that is there, was there, or could not be looked for."""

    id: str
    severity: Severity
    title: str
    evidence: str
    fix: str
    auto: Auto
    result: Result = Result.FOUND


@dataclass(frozen=True)
class Diagnosis:
    """All findings, the worst first, and the ids of everything that was looked at."""

    ready: bool
    findings: tuple[Finding, ...]
    checked: tuple[str, ...]
    dry_run: bool = False
    steps: tuple[str, ...] = ()

    @property
    def exit_code(self) -> int:
        """0 only when no critical finding is left."""
        return 0 if self.ready else 1


def diagnose(
    ports: Ports, checks: Sequence[Check], options: Options, *, fix: bool = False, proof: bool = True
) -> Diagnosis:
    """Look at everything. With `fix` repair what is safe, and after a question what is not.

    The proof comes last, and only where nothing critical stands in its way: a project goes up, is described
    and packaged, the package comes down, an edit is applied.
    """
    seen = Evidence(ports)
    outcomes = examine(checks, seen)
    findings = [finding for outcome in outcomes if (finding := _finding(outcome)) is not None]
    steps: tuple[str, ...] = ()
    # Questions come before the lock: nobody else waits for an answer.
    by_id = {outcome.check.id: outcome.check for outcome in outcomes}
    wanted = [one.id for one in findings if fix and _is_wanted(one, by_id[one.id], seen, options)]
    if wanted:
        findings, steps = _repaired(ports, by_id, findings, wanted, options)
    checked = [outcome.check.id for outcome in outcomes]
    if proof and not _is_critical(findings):
        checked.append(PROOF)
        findings += _proven(ports)
    order = list(Severity)
    findings.sort(key=lambda one: order.index(one.severity))
    return Diagnosis(not _is_critical(findings), tuple(findings), tuple(checked), fix and options.dry_run, steps)


def _finding(outcome: Outcome) -> Finding | None:
    check = outcome.check
    if outcome.found is not None:
        return Finding(check.id, check.severity, check.title, outcome.found, check.fix, check.auto)
    if outcome.unknown is not None:
        title = f"Could not be looked at: {check.title}"
        return Finding(check.id, Severity.INFO, title, outcome.unknown, check.fix, Auto.NO, Result.SKIPPED)
    return None


def _is_critical(findings: Sequence[Finding]) -> bool:
    """Tell whether anything critical is left. What could not be looked at is told, and stops nobody by itself."""
    return any(one.severity is Severity.CRITICAL and one.result is not Result.FIXED for one in findings)


def _is_wanted(finding: Finding, check: Check, seen: Evidence, options: Options) -> bool:
    """Tell whether a finding is to be repaired: what is safe, and the rest where somebody says yes."""
    if finding.auto is Auto.NO or finding.result is not Result.FOUND:
        return False
    try:
        lines = check.difference(seen)
    except RefusedError:
        # What is right is known to the operator alone.
        return False
    except QfcError as error:
        lines = (f"What it would change could not be looked at: {error.message}",)
    if finding.auto is Auto.SAFE or options.yes or options.dry_run:
        return True
    if options.ask is None:
        return False
    told = "".join(f"\n    {line}" for line in lines) + ("\n" if lines else " ")
    return options.ask(f"{finding.title}. {finding.evidence}{told}Repair it?")


def _repaired(
    ports: Ports, by_id: Mapping[str, Check], findings: Sequence[Finding], wanted: Sequence[str], options: Options
) -> tuple[list[Finding], tuple[str, ...]]:
    """Repair what is wanted, each thing seen anew; return what became of it."""
    done = {one.id: one for one in findings}
    settings = {id: check for id in wanted if isinstance(check := by_id[id], MendsSettings) and not check.is_alone}
    with guarded(ports, "sync diagnose --fix", target=ports.name, options=options) as guard:
        done |= _repair_settings(ports, [(check, done[id]) for id, check in settings.items()], guard)
        for id in wanted:
            if id not in settings:
                done[id] = _repair(ports, by_id[id], done[id], guard)
        fixed = sum(one.result is Result.FIXED for one in done.values())
        guard.result = f"{fixed} of {len(findings)} findings fixed"
    return list(done.values()), guard.steps


def _repair_settings(ports: Ports, wanted: Sequence[tuple[MendsSettings, Finding]], guard: Guard) -> dict[str, Finding]:
    """Change all lines of `.env` at once, so that services are made anew only once; return what became of each."""
    lines, failed = _gathered(ports, [check for check, _ in wanted], guard) if wanted else (Lines(), {})
    try:
        if lines.values:
            apply(Evidence(ports), lines.values, lines.readers)
    except QfcError as error:
        failed = {check.id: error for check, _ in wanted} | failed
    if guard.dry_run:
        return {}
    looked = {one.id: check for check, one in wanted if one.id not in failed}
    return {
        one.id: _result(ports, looked[one.id], one) if one.id in looked else _failed(one, failed[one.id])
        for _, one in wanted
    }


def _gathered(ports: Ports, checks: Sequence[MendsSettings], guard: Guard) -> tuple[Lines, dict[str, QfcError]]:
    """Return the lines that checks want otherwise, each seeing those of the ones before it, and who cannot tell."""
    lines, failed = Lines(), dict[str, QfcError]()
    now = ports.deployment.settings.values()
    for check in checks:
        seen = Evidence(ports, settings={**now, **lines.values})
        try:
            if guard.step(_told(check, seen)) and check.look(seen) is not None:
                lines.add(check, seen)
        except QfcError as error:
            failed[check.id] = error
    return lines, failed


def _repair(ports: Ports, check: Check, finding: Finding, guard: Guard) -> Finding:
    seen = Evidence(ports)
    try:
        if not guard.step(_told(check, seen)):
            return finding
        if check.look(seen) is not None:
            check.repair(seen)
    except QfcError as error:
        return _failed(finding, error)
    return _result(ports, check, finding)


def _told(check: Check, seen: Evidence) -> str:
    changes = "; ".join(check.difference(seen))
    return f"Repair: {check.title}" + (f" ({changes})" if changes else "")


def _result(ports: Ports, check: Check, finding: Finding) -> Finding:
    """Look again, and tell what is left."""
    try:
        left = check.look(Evidence(ports))
    except QfcError as error:
        return _failed(finding, error)
    return (
        replace(finding, result=Result.FIXED) if left is None else replace(finding, result=Result.FAILED, evidence=left)
    )


def _failed(finding: Finding, error: QfcError) -> Finding:
    return replace(finding, result=Result.FAILED, evidence=f"{finding.evidence} The repair failed: {error.message}")


def _proven(ports: Ports) -> list[Finding]:
    """Do what a device does: nothing if that works, else one finding with what did not."""
    title = "A project does not go up, through a worker, and down again"
    try:
        broken = prove(ports)
    except (NotFoundError, RefusedError) as error:
        return [Finding(PROOF, Severity.INFO, title, error.message, error.hint, Auto.NO, Result.SKIPPED)]
    except QfcError as error:
        broken = Broken("a new project", error)
    if broken is None:
        return []
    told = f'At the step "{broken.step}": {broken.error.message}'
    return [Finding(PROOF, Severity.CRITICAL, title, told, broken.error.hint or "qfc health --verbose", Auto.NO)]
