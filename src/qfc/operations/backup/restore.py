"""Restore a set: all or nothing. Whatever fails or is killed, what was there is there again."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ...errors import DamagedError, QfcError, UnreachableError
from ...stack import drains, journal
from ...stack.backup_set import DATABASE, SECRETS, Manifest
from ...stack.ports import Ports
from ..guard import Options, guarded
from .archives import files_of
from .lost import Lost, export, lost_since
from .make import CREATE_KEY, make
from .release import require_release
from .restore_objects import add_objects, overwrite_objects
from .restore_plan import plan_of, question, unreadable
from .verify import chosen, require_whole

OPERATION = "db restore"
APP, WORKER = "app", "worker_wrapper"
#: The states of its record: until the first one ends everything is undone, after it everything is finished.
REPLACING, FINISHING = "replacing", "finishing"


@dataclass(frozen=True)
class Restored:
    """A set that was restored into a stack. `edits_file` has what was newer than the set.

    `kept` names the previous database, if it is damaged and was therefore kept; `key_created`: the safety set was the
    first one of the stack, and needed a key.
    """

    backup: str
    stack: str
    taken_at: datetime
    replaced: Mapping[str, int] | None
    restored: Mapping[str, int]
    lost: Lost
    safety: str | None
    key_created: bool
    edits_file: str | None
    kept: str | None
    objects_added: int
    seconds: float
    dry_run: bool
    steps: tuple[str, ...]


def db_restore(
    ports: Ports,
    wanted: str | None,
    options: Options,
    *,
    into: Ports | None = None,
    database_only: bool = False,
    safety: bool = True,
) -> Restored:
    """Restore a set of a stack, into the same stack or another one, after a question that says what is replaced."""
    target = into or ports
    manifest = chosen(ports, wanted)[0]
    plan = plan_of(manifest, target)
    if safety and plan.damage is not None:
        raise unreadable(target, plan.damage)
    began = target.clock.now()
    with guarded(target, OPERATION, target=manifest.id, options=options, question=question(plan)) as guard:
        restoring = Restoring(ports, target, manifest, guard.step, options.report, database_only=database_only)
        restoring.run(safety=safety)
        guard.result = manifest.id
    seconds = round((target.clock.now() - began).total_seconds(), 3)
    return Restored(
        manifest.id,
        target.name,
        manifest.taken_at,
        plan.now,
        plan.then,
        restoring.lost or plan.lost,
        restoring.safety,
        restoring.key_created,
        restoring.edits_file,
        restoring.kept,
        restoring.objects_added,
        seconds,
        guard.dry_run,
        guard.steps,
    )


class Restoring:
    """One restore. The new database is filled beside the old one, which is replaced by a change of names.

    A `proof` that raises undoes it. It may start the server, if nobody but the operator knows its address yet.
    Once `is_committed`, nothing is undone any more: an error then only means that it is not finished.
    """

    def __init__(
        self,
        source: Ports,
        target: Ports,
        manifest: Manifest,
        step: Callable[[str], bool],
        report: Callable[[str], None],
        *,
        database_only: bool = False,
        proof: Callable[[], None] | None = None,
    ) -> None:
        self._store, self._ports, self._manifest = source.backups.store, target, manifest
        self._source, self._target = source, target.backups.target
        self._step, self._report = step, report
        self._database_only, self._proof = database_only, proof
        # Two stacks with the settings of one would share its store, and each remove the files of the other.
        self._takes_settings = not database_only and source is target
        self.lost: Lost | None = None
        self.safety: str | None = None
        self.key_created = False
        self.edits_file: str | None = None
        self.kept: str | None = None
        self.objects_added = 0
        self.is_committed = False

    def run(self, *, safety: bool) -> None:
        """Restore. Raises QfcError; then everything is as before."""
        self._fill(follow=self._takes_settings)
        steps = [
            self._step("Stop API and workers"),
            *([self._step("Back up the present state, to be safe")] if safety else []),
            self._step("Export the edits and files that are newer than the set"),
            self._step("Replace the database by its new one, start everything, and compare"),
        ]
        if False not in steps:
            self._replace(safety=safety)

    def on_trial(self) -> None:
        """Restore into an empty stack, without the settings of the operator: it must not use the stack's store."""
        self._fill(follow=False)
        self._target.configure(self._secrets(), settings=False)
        self._target.swap()
        self._compare()

    def _fill(self, *, follow: bool) -> None:
        """Add objects, and fill the new database; `follow`: in the store that the settings of the set name."""
        if self._step("Verify the set, and compare its release with the installed one"):
            require_whole(self._source, self._manifest)
            self._target.serve_database()
            require_release(self._manifest, self._ports)
        if not self._database_only and self._step("Add the files that the store lacks"):
            if follow:
                self._target.follow(self._secrets())
            self._add_objects()
        if self._step("Fill a new database beside the one in use"):
            self._target.forget()
            self._fill_database()

    def _fill_database(self) -> None:
        try:
            self._target.fill(lambda sink: self._store.read(self._manifest.parts[DATABASE], sink))
        except QfcError:
            # On a full disk, half a database would take the space that others need.
            with suppress(QfcError):
                self._target.discard()
            raise

    def _add_objects(self) -> None:
        self.objects_added += add_objects(self._store, self._manifest, self._target)

    def _replace(self, *, safety: bool) -> None:
        """Replace everything, or undo. From `FINISHING` on people may write to the new database: it is not undone."""
        _note(self._ports, REPLACING)
        try:
            self._ports.runtime.stop([APP, WORKER])
            self._save(safety=safety)
            if not self._database_only:
                # People worked until now, and their server may have removed files that the set needs.
                self._add_objects()
                self.objects_added += overwrite_objects(self._store, self._manifest, self._target)
                self._target.configure(self._secrets(), settings=self._takes_settings)
            self._target.swap()
            self._compare()
            self._target.forget_workers()
            self._ports.runtime.check_settings()
            if self._proof is not None:
                self._proof()
            _note(self._ports, FINISHING, kept=self.kept)
            self.is_committed = True
        except BaseException as error:
            self.is_committed = False
            self._report("Bring back what was there")
            undo(self._ports)
            if isinstance(error, QfcError):
                raise QfcError(f"Nothing was restored: {error.message}", hint=error.hint) from error
            raise
        finish(self._ports, kept=self.kept)

    def _save(self, *, safety: bool) -> None:
        """Back up what is there, and export what of it is newer than the set; keep a database that cannot be read."""
        try:
            if not self._target.tables():
                return
            lost_since(self._ports, self._manifest)
        except UnreachableError:
            raise
        except QfcError as error:
            if safety:
                raise unreadable(self._ports, error) from error
            self.kept = self._target.previous
            self._report(f"Keep the previous database as {self.kept}, since it is damaged: {error.message}")
            return
        if safety:
            self._save_all()
        self.lost, self.edits_file = export(self._ports, self._manifest)

    def _save_all(self) -> None:
        self.key_created = self._ports.backups.keys.recipient() is None
        if self.key_created:
            self._report(CREATE_KEY)
        manifest, problems = make(self._ports, self._report)
        if problems:
            raise DamagedError(f"The safety set {manifest.id} is damaged: {problems[0]}", hint="Try again.")
        self.safety = manifest.id

    def _secrets(self) -> Mapping[str, bytes]:
        content = io.BytesIO()
        self._store.read(self._manifest.parts[SECRETS], content)
        return files_of(content.getvalue())

    def _compare(self) -> None:
        now, then = self._target.tables(), self._manifest.database.tables
        different = [name for name in then if now.get(name) != then[name]]
        if different:
            raise DamagedError(f"The restored database has other rows in {', '.join(different[:5])} than the manifest.")


def _note(ports: Ports, state: str, *, kept: str | None = None) -> None:
    """Record how far the restore is."""
    journal.write(ports.records, journal.Entry(OPERATION, {"state": state, "kept": kept}))


def undo(ports: Ports) -> None:
    """Bring back what was there before the replacement began; it can be repeated."""
    target = ports.backups.target
    with suppress(QfcError):
        # The record may say already that the restore is finished, although writing it failed. On a full disk it cannot.
        _note(ports, REPLACING)
    ports.runtime.stop([APP, WORKER], now=True)
    target.configure_back()
    target.serve_database()
    target.swap_back()
    target.discard()
    # A store that cannot be reached may end it here: the database is back, and nobody works on files of the set.
    target.put_back()
    drains.clear(ports.records)
    ports.runtime.start(None)
    journal.clear(ports.records)


def finish(ports: Ports, *, kept: str | None) -> None:
    """Start everything, and remove what was there before, but not a database that is kept; it can be repeated."""
    try:
        drains.clear(ports.records)
        ports.runtime.start(None)
    except QfcError as error:
        hint = error.hint or "Solve this, then type: qfc up"
        raise QfcError(f"The set is restored, but the server does not start: {error.message}", hint=hint) from error
    ports.backups.target.settle_configuration()
    ports.backups.target.settle_objects()
    if kept is None:
        ports.backups.target.forget()
    journal.clear(ports.records)


def recover(ports: Ports, record: Mapping[str, Any], report: Callable[[str], None]) -> None:
    """Finish a restore that was complete, undo any other."""
    if record.get("state") == FINISHING:
        report("Finish the restore that was interrupted")
        kept = record.get("kept")
        if kept is not None:
            report(f"Keep the previous database as {kept}")
        ports.backups.target.serve_database()
        finish(ports, kept=kept)
        return
    report("Undo the restore that was interrupted")
    undo(ports)
