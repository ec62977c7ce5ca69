"""Check whether synchronisation works: all checks in parallel, repairs if wanted, then the proof."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from ..checks import Check, Evidence, examine
from ..errors import NotFoundError, QfcError, RefusedError
from ..stack import drains
from ..stack.findings import Finding, Result, Severity, problem, unknown
from ..stack.model import Capability
from ..stack.ports import Ports
from ..stack.waiting import wait_until
from .guard import Options
from .proof import Broken, prove
from .repairs import after_repairs, is_wanted, repaired
from .status import is_running

PROOF = "proof"
#: Seconds that services may take to be ready after a repair, and between two looks at them.
SETTLED_S, POLL_S = 30.0, 5.0
#: Seconds that a check may take then: what was just recreated answers slowly.
AGAIN_S = 60.0


@dataclass(frozen=True)
class Diagnosis:
    """All findings, worst first, and the ids of all checks."""

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
    """Run all checks. With `fix`, repair what is safe, and ask before the rest.

    The proof comes last, and only without critical findings: a project is uploaded, processed and packaged, the
    package is downloaded, an edit is applied.
    """
    stopped = _stopped(ports)
    if stopped is not None:
        return Diagnosis(False, (stopped,), (stopped.id,), fix and options.dry_run)
    seen = Evidence(ports)
    examined = examine(checks, seen, progress=options.progress)
    findings = [one for one in examined if one.result is not Result.CLEAR]
    steps: tuple[str, ...] = ()
    # Questions come before the lock: no other operator has to wait for the answers.
    by_id = {check.id: check for check in checks}
    wanted = [one.id for one in findings if fix and is_wanted(one, by_id[one.id], seen, options)]
    if wanted:
        findings, steps = repaired(ports, by_id, findings, wanted, options)
        if not options.dry_run:
            findings = _looked_again(ports, checks, findings)
    checked = [one.id for one in examined]
    if proof and not _is_critical(findings):
        checked.append(PROOF)
        findings += _proven(ports)
    order = list(Severity)
    findings.sort(key=lambda one: order.index(one.severity))
    return Diagnosis(not _is_critical(findings), tuple(findings), tuple(checked), fix and options.dry_run, steps)


def _stopped(ports: Ports) -> Finding | None:
    """Return the only finding of a stack of processes that is stopped: of those nothing else can be examined."""
    if not ports.offers(Capability.PROCESSES) or is_running(ports.runtime.services()):
        return None
    found = problem("stack", Severity.CRITICAL, f"Nothing of {ports.name} is running.")
    return replace(found, title="The stack is stopped", fix="Type: qfc up, then qfc doctor")


def _looked_again(ports: Ports, checks: Sequence[Check], findings: Sequence[Finding]) -> list[Finding]:
    """Look at everything again after repairs. What they have recreated gets a while to be ready."""
    known = {one.id for one in findings}
    looks: list[list[Finding]] = []

    def is_settled() -> bool:
        looks.append(after_repairs(findings, examine(checks, Evidence(ports), limit_s=AGAIN_S)))
        return all(one.id in known for one in looks[-1])

    wait_until(ports.clock, is_settled, limit_s=SETTLED_S, poll_s=POLL_S)
    return looks[-1]


def _is_critical(findings: Sequence[Finding]) -> bool:
    """Return whether a finding of critical severity is left unrepaired."""
    return any(one.severity is Severity.CRITICAL and one.result is not Result.FIXED for one in findings)


def _proven(ports: Ports) -> list[Finding]:
    """Do what a device does; return no finding if that works, else one with the step that failed."""
    title = "A test project cannot be uploaded, processed and downloaded"
    try:
        _require_workers(ports)
        broken = prove(ports)
    except (NotFoundError, RefusedError) as error:
        return [replace(unknown(PROOF, error.message), title=title, fix=error.hint)]
    except QfcError as error:
        broken = Broken("a new project", error)
    if broken is None:
        return []
    evidence = f"Step failed: {broken.step}. {broken.error.message}"
    found = problem(PROOF, Severity.CRITICAL, evidence)
    return [replace(found, title=title, fix=broken.error.hint or "qfc health --verbose")]


def _require_workers(ports: Ports) -> None:
    """Raise RefusedError for workers that somebody drained: every job of the proof would wait for its end."""
    drain = drains.read(ports.records)
    if drain is not None:
        raise RefusedError(drain.sentence, hint=drains.FIX)
