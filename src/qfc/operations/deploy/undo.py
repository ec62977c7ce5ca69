"""Going back: after a step that failed, and after an operation that was killed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from ...errors import QfcError
from ...stack.deploy_records import ENV
from ...stack.ports import Ports
from ...stack.rollout import DeployState, Record, Step, WayOut, from_document, way_out, what_was_left
from .gate import remove_left_project
from .journal import Journal
from .steps import APP, READY_S, WORKER, Steps


def go_back(ports: Ports, journal: Journal, failure: str, report: Callable[[str], None]) -> DeployState:
    """Make everything as it was before the first step; return how the deployment ended.

    Raises QfcError when that is not possible; what is written down then stays, for the next try.
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
            hint="Correct that, then type: qfc deploy rollback   (it goes on where this stopped)",
        ) from error
    changed = record.has_begun(Step.DRAIN)
    state = DeployState.ROLLED_BACK if changed else DeployState.UNCHANGED
    journal.close(state, failure)
    return state


def _undo(ports: Ports, journal: Journal, report: Callable[[str], None]) -> None:
    record, deployment = journal.record, ports.deployment
    # Its files are in the store: without its row nobody could remove them any more.
    is_left = bool(record.probe) and not remove_left_project(ports, record.probe, record.password)
    if not record.restored:
        _bring_back(ports, journal, report)
        # What was restarted since may have worked: it is neither stopped nor put back a second time.
        journal.write(lambda record: replace(record, restored=True))
    if record.has_begun(Step.DRAIN) and not record.writers_admitted:
        report("Start everything as it was")
        deployment.rollout.converge()
        deployment.rollout.await_ready(limit_s=READY_S, without=record.unready_before)
    if record.has_begun(Step.HOLD):
        journal.write(lambda record: replace(record, writers_admitted=True))
        deployment.traffic.release()
    if is_left:
        remove_left_project(ports, record.probe, record.password)


def _bring_back(ports: Ports, journal: Journal, report: Callable[[str], None]) -> None:
    """Make files, images and data those of before. To be used while nothing of before runs yet; may be repeated."""
    record, deployment = journal.record, ports.deployment
    if record.has_begun(Step.START) or record.changed_data:
        report("Stop what was started")
        deployment.rollout.halt([APP, WORKER])
    if record.has_begun(Step.CHECKOUT):
        report(f"Bring back the files of {record.before}")
        deployment.source.checkout(record.before, branch=record.branch_before)
        text = ports.records.read_text(f"{journal.place}/{ENV}")
        if text is not None:
            deployment.settings.restore(text)
    if record.has_begun(Step.IMAGES):
        report("Bring back the images of before")
        for name, image_id in record.images.values():
            deployment.images.tag(image_id, name)
    if record.changed_data and record.dump is not None:
        report("Bring back the database of before")
        deployment.dumps.restore(ports.records.folder() / record.dump)


def recover(ports: Ports, document: Mapping[str, Any], report: Callable[[str], None]) -> Record:
    """Finish or undo a deployment that was interrupted, from its record; return what became of it.

    To be used under the stack's lock: its holder is gone, so nobody else is at it.
    """
    record = from_document(document)
    report(what_was_left(record))
    journal = Journal(ports.records, ports.clock, record)
    if way_out(record) is WayOut.FINISH:
        report(f"It had passed the gate; it is finished: {record.after}")
        Steps(ports, journal).release()
        journal.close(DeployState.DEPLOYED)
    else:
        report(f"It is undone: back to {record.before}")
        go_back(ports, journal, record.failure or "The operation was broken off.", report)
    return journal.record
