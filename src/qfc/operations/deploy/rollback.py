"""Going back on purpose to the release before a deployment, with or without the data of then."""

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
    """Where to: a deployment's id, or the release before one; without it the one before now.

    `with_data`: bring the database of then back too; what came since is kept in a dump of now.
    """

    to: str | None = None
    with_data: bool = False
    skipped: tuple[str, ...] = ("clean tree",)


def deploy_rollback(ports: Ports, wanted: RollbackOptions, options: Options) -> Deployed:
    """Go back. What was broken off is finished or undone instead, and nothing more is done then."""
    deployment = ports.deployment
    if under_way(ports.records) is not None:
        if wanted.to is not None:
            raise RefusedError(
                "A deployment is under way, or was broken off: where to go back from is not known yet.",
                hint="Finish or undo it first: qfc deploy rollback   (without --to)",
            )
        return _recovered(ports, options)
    chosen = _chosen(ports, wanted)
    newer = _newer_migrations(ports, chosen)
    if newer and not wanted.with_data:
        raise RefusedError(
            f"{len(newer)} migrations were applied since; the release of then does not know them.",
            hint="Go back with the data of then: qfc deploy rollback --with-data   (a dump of now is kept)",
        )
    question = _question(ports, chosen, wanted)
    with guarded(ports, "deploy rollback", target=str(chosen.before), options=options, question=question) as guard:
        # Recovery of a broken-off deployment, by the guard, may have changed where the files stand.
        state = deployment.source.state()
        how = DeployOptions(source=ImageSource.KEPT)
        made = new_record(ports, "rollback", state, chosen.before, how, branch=chosen.branch_before)
        record = replace(
            made,
            new_images=chosen.images,
            restore=f"{chosen.dump}" if wanted.with_data else None,
            env_from=chosen.id if _wants_other_lines(ports, chosen) else None,
        )
        found = looked_at(ports, guard, state, record, wanted.skipped)
        result = carry_out(ports, guard, record, found)
        guard.result = f"{result.result}: {record.before} → {record.after}"
    return result


def _recovered(ports: Ports, options: Options) -> Deployed:
    """Let the guard finish or undo what was broken off, and tell what became of it."""
    with guarded(ports, "deploy rollback", target="what was broken off", options=options, recovers=False) as guard:
        if guard.step("Finish or undo the deployment that was broken off"):
            record = _recover(ports, guard.report)
            guard.result = record.state.value if record else "nothing was left"
        else:
            record = under_way(ports.records)
    if record is None:
        raise NotFoundError("Nothing is left to be finished or undone.", hint="Type: qfc deploy history")
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
    """Recover what is left now; the one who held the lock until then may have ended it."""
    entry = journal.read(ports.records)
    return recover(ports, entry.record, report) if entry and entry.operation == OPERATION else None


def _chosen(ports: Ports, wanted: RollbackOptions) -> Record:
    """Return the deployment before which the release was that is wanted. Raises NotFoundError."""
    records = [record for record in past(ports.records) if record.state is DeployState.DEPLOYED]
    if wanted.to is None:
        now = ports.deployment.source.state().revision.commit
        records = [record for record in records if record.after.commit == now]
    else:
        records = [record for record in records if _is_meant(record, wanted.to)]
    if not records:
        what = f"to {wanted.to}" if wanted.to else "from the release of now"
        raise NotFoundError(f"There is no way back {what}.", hint="Type: qfc deploy history")
    if wanted.with_data and records[0].dump is None:
        raise NotFoundError(f"No dump is kept of {records[0].before}.", hint="Type: qfc deploy history")
    return records[0]


def _is_meant(record: Record, to: str) -> bool:
    return record.id.startswith(to) or record.before.name == to or record.before.commit.startswith(to)


def _newer_migrations(ports: Ports, chosen: Record) -> list[str]:
    known = set(chosen.migrations)
    return [name for name in ports.directory.applied_migrations() if name not in known]


def _question(ports: Ports, chosen: Record, wanted: RollbackOptions) -> str:
    since = chosen.began_at.strftime("%Y-%m-%d %H:%M UTC")
    if not wanted.with_data:
        return f"Go back to {chosen.before}, with the data of now?"
    changes = _told(ports.directory.changes_since(chosen.began_at))
    return f"Go back to {chosen.before} with the data of {since}? What came since leaves the database: {changes}."


def _told(changes: Mapping[str, int]) -> str:
    return ", ".join(f"{count} {name}" for name, count in changes.items())


def _wants_other_lines(ports: Ports, chosen: Record) -> bool:
    """Tell whether the .env of then has other names than that of now."""
    text = ports.records.read_text(f"{FOLDER}/{chosen.id}/{ENV}")
    return text is not None and ports.deployment.settings.has_other_names(text)
