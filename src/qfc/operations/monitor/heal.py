"""One repair by the monitor: the catalogue's own, under the stack's lock, looked at again afterwards."""

from __future__ import annotations

from ...checks import Auto
from ...errors import QfcError, RefusedError
from ...stack import journal
from ...stack.findings import Finding, Result
from ...stack.monitor.alone import ALONE
from ...stack.ports import Ports
from ...stack.redaction import without_secrets
from ..guard import Options
from ..repairs import repaired
from .observe import check, who_stopped

COMMAND = "monitor repair"


def heal(ports: Ports, finding: Finding) -> str | None:
    """Repair a problem; return the result in a sentence.

    None if since the look somebody took the lock, stopped the stack or was interrupted: nothing was tried.
    Raises RefusedError for a repair that needs a person's consent.
    """
    chosen = check(finding.id)
    if chosen.auto is not Auto.SAFE or finding.id not in ALONE:
        raise RefusedError(f"{finding.id} is never repaired alone.", hint=chosen.fix)
    try:
        done, _ = repaired(
            ports,
            {chosen.id: chosen},
            [finding],
            [chosen.id],
            Options(),
            command=COMMAND,
            recovers=False,
            allowed=lambda: _require_allowed(ports),
        )
    except RefusedError:
        return None
    except QfcError as error:
        return f"{_what(finding.id)}: failed. {without_secrets(error.message)}"
    (result,) = done
    if result.result is Result.FIXED:
        return f"{_what(finding.id)}: done."
    return f"{_what(finding.id)}: failed. {without_secrets(result.evidence)}"


def _require_allowed(ports: Ports) -> None:
    """Raise RefusedError if nothing may be repaired any more. `ports.interrupted` knows nothing under the lock."""
    entry = journal.read(ports.records)
    if entry is not None:
        raise RefusedError(f"{entry.operation} was interrupted and has to be finished or undone first.")
    stopped = who_stopped(ports, ports.runtime.services())
    if stopped is not None:
        raise RefusedError(f"Nothing is started, because {stopped}.")


def _what(id: str) -> str:
    return ALONE[id][0].upper() + ALONE[id][1:]
