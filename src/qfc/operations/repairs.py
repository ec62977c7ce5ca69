"""Repairs of a diagnosis: confirmed where needed, under the lock, checked again afterwards."""

from __future__ import annotations

import pkgutil
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace

from ..checks import Check, EnvEdit, Evidence, RepairsEnv
from ..errors import PartlyDoneError, QfcError, RefusedError
from ..stack import drains
from ..stack.findings import Auto, Finding, Result
from ..stack.model import Verdict
from ..stack.ports import Ports
from .guard import Guard, Options, guarded
from .workers_list import SERVICE as WORKER


def is_wanted(finding: Finding, check: Check, seen: Evidence, options: Options) -> bool:
    """Return whether to repair a finding: yes if the repair is safe, else if the operator confirms it."""
    if finding.auto is Auto.NO or finding.result is not Result.FOUND:
        return False
    try:
        lines = check.difference(seen)
    except RefusedError:
        # Only the operator knows the right value.
        return False
    except QfcError as error:
        lines = (f"The planned changes cannot be shown: {error.message}",)
    if finding.auto is Auto.SAFE or options.yes or options.dry_run:
        return True
    if options.ask is None:
        return False
    changes = "".join(f"\n    {line}" for line in lines) + ("\n" if lines else " ")
    return options.ask(f"{finding.title}. {finding.evidence}{changes}Repair it?")


def _always() -> None:
    """Allow repairs."""


def repaired(
    ports: Ports,
    by_id: Mapping[str, Check],
    findings: Sequence[Finding],
    wanted: Sequence[str],
    options: Options,
    *,
    command: str = "sync diagnose --fix",
    recovers: bool = True,
    allowed: Callable[[], None] = _always,
) -> tuple[list[Finding], tuple[str, ...]]:
    """Repair the wanted findings, each looked at again; return all findings with their results, and the steps.

    `command` is what the audit log calls it. With `recovers=False`, an interrupted operation is left alone. `allowed`
    is called under the lock, before the first repair, and raises what forbids them.
    """
    done = {one.id: one for one in findings}
    settings = {id: check for id in wanted if isinstance(check := by_id[id], RepairsEnv) and not check.is_alone}
    with guarded(ports, command, target=ports.name, options=options, recovers=recovers) as guard:
        allowed()
        done |= _repair_settings(ports, [(check, done[id]) for id, check in settings.items()], guard)
        for id in wanted:
            if id not in settings:
                done[id] = _repair(ports, by_id[id], done[id], guard)
        guard.result = _outcome(list(done.values()))
        if not guard.dry_run:
            _end_drain(ports)
    return list(done.values()), guard.steps


def _end_drain(ports: Ports) -> None:
    """Forget a drain if a repair has started the workers with other services."""
    with suppress(QfcError):
        if drains.read(ports.records) and any(one.running for one in ports.runtime.services() if one.name == WORKER):
            drains.clear(ports.records)


def _outcome(findings: Sequence[Finding]) -> str:
    """Return what the audit log records: which findings were repaired, and which repairs failed."""
    by_result = {one: [two.id for two in findings if two.result is one] for one in (Result.FIXED, Result.FAILED)}
    fixed, failed = by_result[Result.FIXED], by_result[Result.FAILED]
    told = f"{len(fixed)} of {len(findings)} findings repaired"
    told += f": {', '.join(fixed)}" if fixed else ""
    return f"{told}; failed: {', '.join(failed)}" if failed else told


def after_repairs(before: Sequence[Finding], now: Sequence[Finding]) -> list[Finding]:
    """Return the findings after repairs, each with its present verdict: `now` is everything, looked at again.

    What was repaired is fixed only if it is clear now; what a repair has caused is a finding like any other.
    """
    done = {one.id: one for one in before}
    merged = [_as_now(done.get(one.id), one) for one in now]
    return [one for one in merged if one.result is not Result.CLEAR]


def _as_now(before: Finding | None, now: Finding) -> Finding:
    """Return a finding as it is now, with the result of its repair."""
    if before is None or before.result not in (Result.FIXED, Result.FAILED):
        return now
    if before.result is Result.FAILED and before.verdict is Verdict.UNKNOWN:
        return before if now.result is Result.CLEAR else replace(now, result=Result.FAILED)
    if now.result is Result.CLEAR:
        return replace(before, result=Result.FIXED, verdict=Verdict.OK)
    if now.result is Result.SKIPPED:
        evidence = f"{before.evidence} After the repair it could not be checked: {now.evidence}"
        return replace(before, result=Result.FAILED, verdict=now.verdict, evidence=evidence)
    evidence = before.evidence if before.result is Result.FAILED else now.evidence
    return replace(now, result=Result.FAILED, evidence=evidence)


def _repair_settings(ports: Ports, wanted: Sequence[tuple[RepairsEnv, Finding]], guard: Guard) -> dict[str, Finding]:
    """Change all lines of `.env` at once, so services are recreated only once; return the result of each check."""
    edit, failed = _gathered(ports, [check for check, _ in wanted], guard) if wanted else (EnvEdit(), {})
    try:
        if edit.values:
            edit.write(Evidence(ports))
    except QfcError as error:
        failed = {check.id: error for check, _ in wanted} | failed
    if guard.dry_run:
        return {}
    looked = {one.id: check for check, one in wanted if one.id not in failed}
    return {
        one.id: _result(ports, looked[one.id], one) if one.id in looked else _failed(one, failed[one.id])
        for _, one in wanted
    }


def _gathered(ports: Ports, checks: Sequence[RepairsEnv], guard: Guard) -> tuple[EnvEdit, dict[str, QfcError]]:
    """Return the lines to change, and the checks that failed. Each check sees the lines of those before it."""
    edit, failed = EnvEdit(), dict[str, QfcError]()
    now = ports.deployment.settings.values()
    for check in checks:
        seen = Evidence(ports, settings={**now, **edit.values})
        try:
            if guard.step(_sentence(check, seen)) and check.look(seen) is not None:
                edit.add(check, seen)
        except QfcError as error:
            failed[check.id] = error
    return edit, failed


def _repair(ports: Ports, check: Check, finding: Finding, guard: Guard) -> Finding:
    seen = Evidence(ports)
    try:
        if not guard.step(_sentence(check, seen)):
            return finding
        if check.look(seen) is not None:
            _repair_by(check, seen, guard)
    except QfcError as error:
        return _failed(finding, error)
    return _result(ports, check, finding)


def _repair_by(check: Check, seen: Evidence, guard: Guard) -> None:
    """Repair by the check itself, or by the operation that it names; both run under the lock."""
    if check.operation:
        pkgutil.resolve_name(check.operation)(seen.ports, guard.report)
    else:
        check.repair(seen)


def _sentence(check: Check, seen: Evidence) -> str:
    changes = "; ".join(check.difference(seen))
    return f"Repair: {check.title}" + (f" ({changes})" if changes else "")


def _result(ports: Ports, check: Check, finding: Finding) -> Finding:
    """Look again, and return the result of the repair."""
    try:
        left = check.look(Evidence(ports))
    except QfcError as error:
        return _failed(finding, error)
    if left is None:
        return replace(finding, result=Result.FIXED, verdict=Verdict.OK)
    return replace(finding, result=Result.FAILED, evidence=left)


def _failed(finding: Finding, error: QfcError) -> Finding:
    if isinstance(error, PartlyDoneError):
        # What it has started may still fail: that the finding is gone for a while proves nothing.
        evidence = f"{finding.evidence} The repair has not ended: {error.message}"
        return replace(finding, result=Result.FAILED, verdict=Verdict.UNKNOWN, evidence=evidence)
    return replace(finding, result=Result.FAILED, evidence=f"{finding.evidence} The repair failed: {error.message}")
