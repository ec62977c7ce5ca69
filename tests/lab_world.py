"""What tests of the fault lab share."""

from __future__ import annotations

from qfc.lab import FAULTS, Fault
from qfc.stack.model import Kind

#: Faults of which only the proof tells.
PROVEN = {fault.id for fault in FAULTS if "proof" in fault.finds}


def faults_of(kind: Kind) -> list[Fault]:
    """Return the faults that stacks of a kind can have."""
    return [fault for fault in FAULTS if kind in fault.kinds]
