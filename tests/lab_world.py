"""What tests of the fault lab share: which checks are still to come, and which faults a stack cannot have."""

from __future__ import annotations

from qfc.checks import EVERYTHING
from qfc.lab import FAULTS, Fault
from qfc.stack.model import Kind

#: Checks that faults name and that are not written yet. Each is to go from here as soon as it is there.
NOT_YET = {check for fault in FAULTS for check in fault.finds} - {check.id for check in EVERYTHING}


def faults_of(kind: Kind) -> list[Fault]:
    """Return the faults that stacks of a kind can have."""
    return [fault for fault in FAULTS if kind in fault.kinds]
