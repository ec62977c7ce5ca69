"""Restore one project of a set. The others, and who works on them, are not touched."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ...errors import DamagedError, NotConfirmedError, QfcError, RefusedError
from ...stack import journal
from ...stack.backup_project import ProjectContent
from ...stack.backup_set import DATABASE, Manifest
from ...stack.ports import Ports
from ..guard import Options, confirm, guarded
from .lost import Lost, export, lost_since
from .make import CREATE_KEY, make
from .release import require_release
from .restore_objects import add_objects
from .restore_plan import newer, words
from .verify import chosen, require_whole

OPERATION = "db restore --project"


@dataclass(frozen=True)
class ProjectRestored:
    """A project that came back. `replaced` is None where it did not exist any more; `edits_file` has what was newer."""

    backup: str
    stack: str
    taken_at: datetime
    project: str
    project_id: str | None
    replaced: Mapping[str, int] | None
    restored: Mapping[str, int] | None
    lost: Lost
    safety: str | None
    key_created: bool
    edits_file: str | None
    objects_added: int
    seconds: float
    dry_run: bool
    steps: tuple[str, ...]


def db_restore_project(
    ports: Ports, wanted: str | None, project: str, options: Options, *, safety: bool = True
) -> ProjectRestored:
    """Restore a project, by id or OWNER/NAME, after a question that says what of it is replaced by what."""
    manifest = chosen(ports, wanted)[0]
    if not (options.yes or options.dry_run or options.ask):
        raise NotConfirmedError("Confirmation needed: the project's data are replaced.", hint="Add --yes.")
    began = ports.clock.now()
    with guarded(ports, "db restore", target=f"{manifest.id} {project}", options=options) as guard:
        restoring = _Restoring(ports, manifest, project, guard.step, options.report)
        restoring.run(options, safety=safety)
        guard.result = manifest.id
    seconds = round((ports.clock.now() - began).total_seconds(), 3)
    return restoring.result(seconds, guard.dry_run, guard.steps)


class _Restoring:
    """One restore. All of the set's database is filled beside the one in use; the project's rows go over at once."""

    def __init__(
        self,
        ports: Ports,
        manifest: Manifest,
        project: str,
        step: Callable[[str], bool],
        report: Callable[[str], None],
    ) -> None:
        self._ports, self._manifest, self._project = ports, manifest, project
        self._step, self._report = step, report
        self._target, self._projects = ports.backups.target, ports.backups.project_target
        self._found: ProjectContent | None = None
        self._now: ProjectContent | None = None
        self._lost, self._safety, self._key_created = Lost(), None, False
        self._edits_file: str | None = None
        self._added = 0

    def run(self, options: Options, *, safety: bool) -> None:
        """Restore. Raises QfcError; then everything is as before."""
        steps = (
            "Verify the set, and compare its release with the installed one",
            "Fill a new database beside the one in use",
            *(["Back up the present state, to be safe"] if safety else []),
            "Export the edits and files of the project that are newer than the set",
            "Add the files that the store lacks, and replace the project in one transaction",
        )
        if not self._step(steps[0]):
            for one in steps[1:]:
                self._step(one)
            return
        require_whole(self._ports, self._manifest)
        self._target.serve_database()
        require_release(self._manifest, self._ports)
        journal.write(self._ports.records, journal.Entry(OPERATION, {}))
        try:
            self._step(steps[1])
            self._target.fill(lambda sink: self._ports.backups.store.read(self._manifest.parts[DATABASE], sink))
            self._look()
            confirm(self._question(), options)
            self._replace(steps[2:], safety=safety)
        finally:
            with suppress(QfcError):
                _clean_up(self._ports)

    def _look(self) -> None:
        self._found = self._projects.kept(self._project)
        self._now = self._projects.present(self._found.id)
        lacking = self._projects.lacking_accounts(self._found.id)
        if lacking:
            raise RefusedError(
                f"Rows of {self._found.name} are of accounts that do not exist any more: {', '.join(lacking)}.",
                hint="Create them again, then restore: qfc users create NAME",
            )
        self._lost = lost_since(self._ports, self._manifest, self._found.id)

    def _question(self) -> str:
        assert self._found is not None
        when = f"{self._manifest.taken_at:%Y-%m-%d %H:%M} UTC"
        now = words(self._now.counts) if self._now else "it does not exist now"
        then = words(self._found.counts)
        said = f"Replace the project {self._found.name} ({now}) by that of {self._manifest.id} of {when} ({then})."
        return " ".join([said, *newer(self._lost), "Other projects stay as they are. Restore?"])

    def _replace(self, steps: tuple[str, ...], *, safety: bool) -> None:
        assert self._found is not None
        if safety:
            self._step(steps[0])
            self._save()
        self._step(steps[-2])
        self._lost, self._edits_file = export(self._ports, self._manifest, self._found.id)
        self._step(steps[-1])
        names = self._projects.objects(self._found.id)
        self._added = add_objects(self._ports.backups.store, self._manifest, self._target, only=names)
        self._projects.replace(self._found)

    def _save(self) -> None:
        self._key_created = self._ports.backups.keys.recipient() is None
        if self._key_created:
            self._report(CREATE_KEY)
        manifest, problems = make(self._ports, self._report)
        if problems:
            raise DamagedError(f"The safety set {manifest.id} is damaged: {problems[0]}", hint="Try again.")
        self._safety = manifest.id

    def result(self, seconds: float, dry_run: bool, steps: tuple[str, ...]) -> ProjectRestored:
        """Return what was restored."""
        found = self._found
        return ProjectRestored(
            self._manifest.id,
            self._ports.name,
            self._manifest.taken_at,
            found.name if found else self._project,
            found.id if found else None,
            self._now.counts if self._now else None,
            found.counts if found else None,
            self._lost,
            self._safety,
            self._key_created,
            self._edits_file,
            self._added,
            seconds,
            dry_run,
            steps,
        )


def _clean_up(ports: Ports) -> None:
    ports.backups.target.discard()
    journal.clear(ports.records)


def recover(ports: Ports, record: Mapping[str, Any], report: Callable[[str], None]) -> None:
    """Remove the copy of a restore that was killed: the project itself is replaced at once, or not at all."""
    del record
    report("Remove what the interrupted restore of a project left")
    ports.backups.target.serve_database()
    _clean_up(ports)
