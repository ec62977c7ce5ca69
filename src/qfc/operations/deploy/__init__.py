"""Deploy another release of a deployment, with rollback.

run.py       the use case: from the checks to the record
checks.py    the checks before anything is changed
steps.py     the steps, one method each
gate.py      the proof that the release works
undo.py      going back after a failure, and after an operation that was killed
journal.py   the record that is written to the host before each step
rollback.py  rollback on request
history.py   past deployments
"""

from __future__ import annotations

from .history import History, deploy_history
from .rollback import RollbackOptions, deploy_rollback
from .run import Deployed, DeployOptions, deploy

__all__ = [
    "DeployOptions",
    "Deployed",
    "History",
    "RollbackOptions",
    "deploy",
    "deploy_history",
    "deploy_rollback",
]
