"""Protect a stack by one command, and take that back.

run.py     protect: the plan, its steps, what happens when one fails or is killed
undo.py    take back what was put in place
parts.py   put one part in place, or take it back, by the operations of its own command
look.py    what is there and what is gone
"""

from __future__ import annotations

from .look import PartState, ProtectionShown, protection_shown
from .run import Protected, protect, repair
from .undo import Unprotected, recover, undo

__all__ = [
    "PartState",
    "Protected",
    "ProtectionShown",
    "Unprotected",
    "protect",
    "protection_shown",
    "recover",
    "repair",
    "undo",
]
