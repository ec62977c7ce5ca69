"""Roll back to the release before a deployment, with or without the data of that time."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from ...errors import NotFoundError, RefusedError
from ...stack import journal
from ...stack.deploy_records import ENV, FOLDER, OPERATION, past, under_way
from ...stack.ports import Ports
from ...stack.rollout import DeployState, ImageSource, Record
from ..guard import Options, guarded
from .run import Deployed, DeployOptions, carry_out, looked_at, new_record
from .undo import recover


@dataclass(frozen=True)
class RollbackOptions:
    """`to` is the id of the deployment to roll back, or the release to go back to; None means the previous release.

    `with_data`: also restore the database from before that deployment; a dump of the current one is kept.
    """

    to: str | None = None
    with_data: bool = False
    skipped: tuple[str, ...] = ("clean tree",)


def deploy_rollback(ports: Ports, wanted: RollbackOptions, options: Options) -> Deployed:
    """Roll back. If a deployment was interrupted, only finish or undo that one."""
    deployment = ports.deployment
    if under_way(ports.records) is not None:
        if wanted.to is not None:
            raise RefusedError(
                "A deployment is in progress or was interrupted, so the current release is uncertain.",
                hint="Finish or undo it first: qfc deploy rollback   (without a release)",
            )
        return _recovered(ports, options)
    chosen = _chosen(ports, wanted)
    newer = _newer_migrations(ports, chosen)
    if newer and not wanted.with_data:
        raise RefusedError(
            f"{len(newer)} migrations were applied since; {chosen.before} does not know them.",
            hint="Restore the data too: qfc deploy rollback --with-data   (a dump of the current data is kept)",
        )
    question = _question(ports, chosen, wanted)
    with guarded(ports, "deploy rollback", target=str(chosen.before), options=options, question=question) as guard:
        # The guard may have recovered an interrupted deployment: the checkout may have changed.
        state = deployment.source.state()
        how = DeployOptions(source=ImageSource.KEPT)
        base = new_record(ports, "rollback", state, chosen.before, how, branch=chosen.branch_before)
        record = replace(
            base,
            new_images=chosen.images,
            restore=f"{chosen.dump}" if wanted.with_data else None,
            env_from=chosen.id if _wants_other_lines(ports, chosen) else None,
        )
        found = looked_at(ports, guard, state, record, wanted.skipped)
        result = carry_out(ports, guard, record, found)
        guard.result = f"{result.result}: {record.before} → {record.after}"
    return result


def _recovered(ports: Ports, options: Options) -> Deployed:
    """Finish or undo the interrupted deployment; return its outcome."""
    with guarded(ports, "deploy rollback", target="interrupted deployment", options=options, recovers=False) as guard:
        if guard.step("Finish or undo the interrupted deployment"):
            record = _recover(ports, guard.report)
            guard.result = record.state.value if record else "nothing to recover"
        else:
            record = under_way(ports.records)
    if record is None:
        raise NotFoundError("No interrupted deployment is left to finish or undo.", hint="Type: qfc deploy history")
    return Deployed(
        before=record.before,
        after=record.after,
        steps=record.took,
        result=DeployState.UNCHANGED if guard.dry_run else record.state,
        backup=record.dump,
        checks=(),
        plan=guard.steps,
        dry_run=guard.dry_run,
        recovered=True,
    )


def _recover(ports: Ports, report: Callable[[str], None]) -> Record | None:
    """Recover the interrupted deployment; None if the previous holder of the lock has already ended it."""
    entry = journal.read(ports.records)
    return recover(ports, entry.record, report) if entry and entry.operation == OPERATION else None


def _chosen(ports: Ports, wanted: RollbackOptions) -> Record:
    """Return the deployment to roll back. Raises NotFoundError."""
    records = [record for record in past(ports.records) if record.state is DeployState.DEPLOYED]
    if wanted.to is None:
        now = ports.deployment.source.state().revision.commit
        records = [record for record in records if record.after.commit == now]
    else:
        records = [record for record in records if _is_meant(record, wanted.to)]
    if not records:
        what = f"to {wanted.to}" if wanted.to else "from the current release"
        raise NotFoundError(f"No rollback {what} is possible.", hint="Type: qfc deploy history")
    if wanted.with_data and records[0].dump is None:
        raise NotFoundError(f"No database dump of {records[0].before} is kept.", hint="Type: qfc deploy history")
    return records[0]


def _is_meant(record: Record, to: str) -> bool:
    return record.id.startswith(to) or record.before.name == to or record.before.commit.startswith(to)


def _newer_migrations(ports: Ports, chosen: Record) -> list[str]:
    known = set(chosen.migrations)
    return [name for name in ports.directory.applied_migrations() if name not in known]


def _question(ports: Ports, chosen: Record, wanted: RollbackOptions) -> str:
    since = chosen.began_at.strftime("%Y-%m-%d %H:%M UTC")
    if not wanted.with_data:
        return f"Go back to {chosen.before} and keep the current data?"
    changes = _counted(ports.directory.changes_since(chosen.began_at))
    return f"Go back to {chosen.before} with the data of {since}? Everything newer leaves the database: {changes}."


def _counted(changes: Mapping[str, int]) -> str:
    return ", ".join(f"{count} {name}" for name, count in changes.items())


def _wants_other_lines(ports: Ports, chosen: Record) -> bool:
    """Return whether the .env kept by that deployment has other names than the current one."""
    text = ports.records.read_text(f"{FOLDER}/{chosen.id}/{ENV}")
    return text is not None and ports.deployment.settings.has_other_names(text)
