"""Whether a monitor still looks, from the trace that it leaves."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from .findings import Finding, Severity, clear, problem

if TYPE_CHECKING:
    from .ports.monitoring import Beat

ID = "monitor"
#: A monitor that has not looked for so many of its periods, but at least so many seconds, has stopped. A deep look or a
#: repair may take minutes.
PERIODS, AT_LEAST_S = 6, 300.0


def judged(beat: Beat | None, now: datetime, *, lives: bool | None = None) -> Finding:
    """Judge the trace of a monitor; without one there is nothing to judge. `lives` is None where nobody asked."""
    if beat is None or beat.ended:
        return clear(ID, "no monitor is meant to run", severity=Severity.WARNING)
    silent_s = (now - beat.looked_at).total_seconds()
    if lives is not False and silent_s < max(PERIODS * beat.every_s, AT_LEAST_S):
        return clear(ID, f"{beat.who} looks every {beat.every_s:.0f} s", severity=Severity.WARNING)
    evidence = f"The monitor stopped; its last look was at {beat.looked_at:%Y-%m-%d %H:%M:%S} UTC."
    found = problem(ID, Severity.WARNING, evidence)
    return replace(found, title="The monitor has stopped", fix="Start it: qfc monitor run; or: qfc monitor install")
