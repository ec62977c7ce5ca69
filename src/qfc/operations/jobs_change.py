"""Retry jobs, and cancel jobs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ..errors import UsageError
from ..stack.model import JobStatus, QueueChange
from ..stack.ports import Ports, QueueStore
from ..stack.queue_changes import BULK_LIMIT, CANCELLABLE, RETRYABLE
from .guard import Options, guarded
from .project_name import project_id
from .queue_change import Changed, changed, count, summary


@dataclass(frozen=True)
class JobSelection:
    """Jobs by name, or by filter; at most 1000. Without names, it needs `everything` or a filter."""

    names: Sequence[str] = ()
    everything: bool = False
    statuses: Sequence[JobStatus] = ()
    project: str | None = None
    type: str | None = None

    @property
    def is_filter(self) -> bool:
        """Whether the jobs are not named one by one."""
        return not self.names


def jobs_retry(ports: Ports, selection: JobSelection, options: Options) -> Changed:
    """Requeue failed and stopped jobs, with those of their deltas that were not applied."""
    ids = _ids(ports, selection, selection.statuses or RETRYABLE)

    def retry(store: QueueStore, dry_run: bool) -> QueueChange:
        return store.retry(ids, dry_run=dry_run)

    return _change(ports, "retry", "Retry", ids, selection, options, retry)


def jobs_cancel(ports: Ports, selection: JobSelection, options: Options) -> Changed:
    """Cancel jobs that are waiting or running; their deltas become pending again, without a job."""
    ids = _ids(ports, selection, selection.statuses or CANCELLABLE)

    def cancel(store: QueueStore, dry_run: bool) -> QueueChange:
        return store.cancel(ids, dry_run=dry_run)

    return _change(ports, "cancel", "Cancel", ids, selection, options, cancel)


def _change(
    ports: Ports,
    verb: str,
    sentence: str,
    ids: Sequence[str],
    selection: JobSelection,
    options: Options,
    act: Callable[[QueueStore, bool], QueueChange],
) -> Changed:
    """Run a change inside its guard. With `--dry-run` the same change is made, then rolled back."""
    what = f"{sentence} {count(len(ids), 'job')}"
    question = f"{what}?" if selection.is_filter and ids else ""
    target = ids[0] if len(ids) == 1 else count(len(ids), "job")
    with guarded(ports, f"jobs {verb}", target=target, options=options, question=question) as guard:
        change = act(ports.jobs, not guard.step(what))
        guard.result = summary(change)
    return changed(change, selected=len(ids), strict=not selection.is_filter, dry_run=guard.dry_run)


def _ids(ports: Ports, selection: JobSelection, statuses: Sequence[JobStatus]) -> tuple[str, ...]:
    if selection.names:
        return tuple(dict.fromkeys(ports.jobs.job(name).id for name in selection.names))
    if not (selection.everything or selection.project or selection.type or selection.statuses):
        raise UsageError("No jobs selected.", hint="Give ids, --all, --project, --type or --status.")
    found = ports.jobs.jobs(
        statuses=statuses,
        project_id=project_id(ports, selection.project),
        type=selection.type,
        limit=BULK_LIMIT,
    )
    return tuple(job.id for job in found)
