"""One repair by the monitor: the catalogue's own, under the stack's lock, looked at again afterwards."""

from __future__ import annotations

from ...checks import Auto
from ...errors import LockHeldError, QfcError, RefusedError
from ...stack.findings import Finding, Result
from ...stack.monitor.alone import ALONE
from ...stack.ports import Ports
from ...stack.redaction import without_secrets
from ..guard import Options
from ..repairs import repaired
from .observe import check

COMMAND = "monitor repair"


def heal(ports: Ports, finding: Finding) -> str | None:
    """Repair a problem; return the result in a sentence. None if somebody else took the lock first: nothing was tried.

    Raises RefusedError for a repair that needs a person's consent.
    """
    chosen = check(finding.id)
    if chosen.auto is not Auto.SAFE or finding.id not in ALONE:
        raise RefusedError(f"{finding.id} is never repaired alone.", hint=chosen.fix)
    try:
        done, _ = repaired(
            ports, {chosen.id: chosen}, [finding], [chosen.id], Options(), command=COMMAND, recovers=False
        )
    except LockHeldError:
        return None
    except QfcError as error:
        return f"{_what(finding.id)}: failed. {without_secrets(error.message)}"
    (result,) = done
    if result.result is Result.FIXED:
        return f"{_what(finding.id)}: done."
    return f"{_what(finding.id)}: failed. {without_secrets(result.evidence)}"


def _what(id: str) -> str:
    return ALONE[id][0].upper() + ALONE[id][1:]
