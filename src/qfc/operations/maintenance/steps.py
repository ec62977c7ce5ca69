"""The steps of each job: existing operations, each with one sentence of what it did."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from ...checks import EVERYTHING
from ...errors import QfcError
from ...stack import drains
from ...stack.findings import Result
from ...stack.model import Capability, Verdict
from ...stack.ports import Ports
from ..backup.make import db_backup
from ..backup.prune import db_prune
from ..backup.verify import db_verify
from ..certs import certs_renew
from ..guard import Options
from ..jobs_cleanup import jobs_cleanup
from ..management import manage
from ..metrics import measure
from ..queue_change import count
from ..services_prune import services_prune
from ..status import note_disks, status
from ..sync_diagnose import diagnose
from ..workers_change import workers_renew
from .stats import write_report

#: A job that a dead worker has held for this long is stuck.
STUCK_S = 3600.0
SESSIONS_S = 3600.0
#: Bytes of an audit log that is rotated.
LARGE_LOG = 10 * 1024 * 1024


class SkippedError(QfcError):
    """There was nothing to do; the message says why."""


class StepFailedError(QfcError):
    """The step found a problem; the message says which."""


@dataclass(frozen=True)
class Step:
    """A step. `do` returns a sentence, or raises SkippedError or another QfcError. It needs a step that was done."""

    name: str
    do: Callable[[Ports, Options], str]
    needs: str = ""


def _look(ports: Ports, options: Options) -> str:
    del options
    seen = status(ports)
    note_disks(ports)
    if seen.verdict is not Verdict.OK:
        raise StepFailedError(f"{ports.name} is {seen.verdict}: {' '.join(seen.reasons)}")
    return f"{ports.name} is ok."


def _measure(ports: Ports, options: Options) -> str:
    del options
    sample = measure(ports)
    ports.metrics_history.record(sample)
    return f"{count(sample.queue, 'job')} waiting, {sample.processing} running, {sample.failed} failed within an hour."


def _prune(ports: Ports, options: Options) -> str:
    if not ports.offers(Capability.CONTAINERS):
        raise SkippedError("It has no containers or images; the node's workers remove their own remains.")
    pruned = services_prune(ports, options)
    what = f"{count(len(pruned.images), 'image')} and {count(len(pruned.containers), 'container')} removed"
    return f"{what}, {pruned.freed_bytes / 1e6:.0f} MB."


def _sessions(ports: Ports, options: Options) -> str:
    if not options.dry_run:
        manage(ports.runtime, "clearsessions", timeout_s=SESSIONS_S)
    return "Expired sessions removed."


def _restart_idle(ports: Ports, options: Options) -> str:
    drain = drains.read(ports.records)
    if drain is not None:
        raise SkippedError(drain.sentence)
    depth = ports.workload.depth()
    open_jobs = depth.pending + depth.queued + depth.started
    if open_jobs:
        raise SkippedError(f"{count(open_jobs, 'job')} waiting or running.")
    return f"{count(workers_renew(ports, options).wanted, 'worker')} restarted, one at a time."


def _backup(ports: Ports, options: Options) -> str:
    if not ports.offers(Capability.BACKUPS):
        raise SkippedError(f"This release cannot back up {ports.kind} stacks by itself.")
    if ports.backups.keys.recipient() is None:
        raise SkippedError("No backup was ever made. Type: qfc db backup")
    made = db_backup(ports, options)
    if made.exit_code == 1:
        raise StepFailedError(f"The backup is damaged: {' '.join(made.problems)}")
    return f"Backup {made.backup} made, {made.size_bytes / 1e6:.1f} MB."


def _verify(ports: Ports, options: Options) -> str:
    del options
    sets = db_verify(ports, None).sets
    broken = [one for one in sets if not one.ok]
    if broken:
        raise StepFailedError(f"Backup {broken[0].backup} is damaged: {' '.join(broken[0].problems)}")
    return f"{count(len(sets), 'backup')} verified."


def _prune_backups(ports: Ports, options: Options) -> str:
    pruned = db_prune(ports, ports.backups.retention, options)
    return f"{count(len(pruned.removed), 'backup')} removed, {len(pruned.kept)} kept."


def _free_jobs(ports: Ports, options: Options) -> str:
    cleaned = jobs_cleanup(ports, options, older_s=STUCK_S)
    return f"{count(len(cleaned.requeued), 'job')} requeued, {len(cleaned.failed)} set to failed."


def _vacuum(ports: Ports, options: Options) -> str:
    del options
    tables = ports.directory.vacuum()
    return f"{count(len(tables), 'table')} vacuumed{': ' + ', '.join(tables) if tables else ''}."


def _rotate(ports: Ports, options: Options) -> str:
    del options
    return "The audit log is set aside." if ports.audit.rotate(LARGE_LOG) else "The audit log is small."


def _certificate(ports: Ports, options: Options) -> str:
    if not ports.offers(Capability.CONTAINERS):
        raise SkippedError("It serves no certificate of its own.")
    renewed = certs_renew(ports, options)
    if renewed.unmanaged:
        raise SkippedError("certbot manages no certificate here.")
    return "A new certificate is served." if renewed.changed else "The certificate is not due."


def _problems(ports: Ports, options: Options) -> str:
    found = [one for one in diagnose(ports, EVERYTHING, options, proof=False).findings if one.result is Result.FOUND]
    if found:
        raise StepFailedError(f"{count(len(found), 'finding')}: {', '.join(one.id for one in found)}. Type: qfc doctor")
    return "No known problem."


def _stats(ports: Ports, options: Options) -> str:
    return "Would write a report." if options.dry_run else f"Written: {write_report(ports)}"


STEPS: Mapping[str, tuple[Step, ...]] = {
    "quick-check": (Step("status", _look), Step("measure", _measure)),
    "cleanup": (Step("prune", _prune), Step("sessions", _sessions)),
    "restart-workers": (Step("restart", _restart_idle),),
    "daily": (
        Step("backup", _backup),
        Step("verify", _verify, needs="backup"),
        Step("prune backups", _prune_backups, needs="verify"),
        Step("stuck jobs", _free_jobs),
        Step("vacuum", _vacuum),
        Step("logs", _rotate),
        Step("certificate", _certificate),
        Step("known problems", _problems),
    ),
    "stats": (Step("report", _stats),),
}


def unattended(options: Options) -> Options:
    """Return the options of steps: nobody is asked, a plan that is safe to make is made."""
    return replace(options, yes=True, ask=None)
