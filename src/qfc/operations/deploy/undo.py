"""Going back: after a failed step, and after an operation that was killed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from ...errors import QfcError
from ...stack.deploy_records import ENV
from ...stack.ports import Ports
from ...stack.rollout import DeployState, Record, Step, WayOut, from_document, way_out, what_was_left
from ..ratelimit import reload_limits
from .gate import remove_left_project
from .journal import Journal
from .steps import APP, READY_S, WORKER, Steps


def go_back(ports: Ports, journal: Journal, failure: str, report: Callable[[str], None]) -> DeployState:
    """Restore everything to its state before the first step; return how the deployment ended.

    Raises QfcError when that fails; the record then stays, for the next attempt.
    """
    record = journal.record
    if not record.has_begun(Step.CHECKOUT, Step.IMAGES, Step.DRAIN):
        journal.record = record.ended(DeployState.UNCHANGED, ports.clock.now(), failure)
        journal.forget()
        return DeployState.UNCHANGED
    journal.write(lambda record: replace(record, state=DeployState.UNDOING, failure=failure))
    try:
        _undo(ports, journal, report)
    except QfcError as error:
        raise QfcError(
            f"{failure} Going back failed too: {error.message}",
            hint="Solve this, then type: qfc deploy rollback   (it continues where this stopped)",
        ) from error
    changed = record.has_begun(Step.DRAIN)
    state = DeployState.ROLLED_BACK if changed else DeployState.UNCHANGED
    journal.close(state, failure)
    return state


def _undo(ports: Ports, journal: Journal, report: Callable[[str], None]) -> None:
    record, deployment = journal.record, ports.deployment
    # Its files are in the store: once its row is gone, nobody can remove them.
    is_left = bool(record.probe) and not remove_left_project(ports, record.probe, record.password)
    if not record.restored:
        _restore(ports, journal, report)
        # Services restarted from here on may do work: a second attempt neither stops nor restores them again.
        journal.write(lambda record: replace(record, restored=True))
    if record.has_begun(Step.DRAIN) and not record.writers_admitted:
        report("Start all services again")
        deployment.rollout.converge()
        deployment.rollout.await_ready(limit_s=READY_S, without=record.unready_before)
    if record.has_begun(Step.HOLD):
        journal.write(lambda record: replace(record, writers_admitted=True))
        deployment.traffic.release()
    reload_limits(ports)
    if is_left:
        remove_left_project(ports, record.probe, record.password)


def _restore(ports: Ports, journal: Journal, report: Callable[[str], None]) -> None:
    """Restore the previous files, images and data. Call it before any previous service runs; it can be repeated."""
    record, deployment = journal.record, ports.deployment
    if record.has_begun(Step.START) or record.changed_data:
        report("Stop the new release")
        deployment.rollout.halt([APP, WORKER])
    if record.has_begun(Step.CHECKOUT):
        report(f"Check out {record.before}")
        deployment.source.checkout(record.before, branch=record.branch_before)
        text = ports.records.read_text(f"{journal.place}/{ENV}")
        if text is not None:
            deployment.settings.restore(text)
    if record.has_begun(Step.IMAGES):
        report("Restore the previous images")
        for name, image_id in record.images.values():
            deployment.images.tag(image_id, name)
    if record.changed_data and record.dump is not None:
        report("Restore the previous database")
        deployment.dumps.restore(ports.records.folder() / record.dump)


def recover(ports: Ports, document: Mapping[str, Any], report: Callable[[str], None]) -> Record:
    """Finish or undo an interrupted deployment from its record; return the final record.

    Call it under the stack's lock: then whoever ran the deployment is gone.
    """
    record = from_document(document)
    report(what_was_left(record))
    journal = Journal(ports.records, ports.clock, record)
    if way_out(record) is WayOut.FINISH:
        report(f"It had passed the gate, so it is finished now: {record.after}")
        Steps(ports, journal).release()
        journal.close(DeployState.DEPLOYED)
    else:
        report(f"It is undone now: back to {record.before}")
        go_back(ports, journal, record.failure or "The operation was interrupted.", report)
    return journal.record
