"""The proof that a release works, before devices reach it."""

from __future__ import annotations

from collections.abc import Callable

from ...errors import NotFoundError, QfcError
from ...stack.api_status import STATUS, judge_status
from ...stack.ports import Ports
from ..probe import some_superuser
from ..proof import prove

ANSWER_S = 60.0


def require_working(ports: Ports, report: Callable[[str], None]) -> None:
    """Do what a device does; without a superuser, only ask the API. Raises QfcError with the step that failed."""
    found = judge_status(ports.api.get(STATUS, timeout_s=ANSWER_S))
    if not found.is_well:
        raise QfcError(f"The release is not well: {found.evidence}")
    try:
        some_superuser(ports)
    except NotFoundError:
        report("There is no superuser to try a synchronisation with: only the API was asked")
        return
    broken = prove(ports)
    if broken is not None:
        raise QfcError(f"The release does not pass the proof ({broken.step}): {broken.error.message}")
