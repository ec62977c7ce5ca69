"""Import a server from a folder that `transfer export` wrote."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ...errors import RefusedError
from ...stack.backup_set import Manifest
from ...stack.ports import Ports
from ...stack.transfer import moved
from ...stack.transfer.by_hand import Chore, chores
from ...stack.transfer.contents import TableRows
from ...stack.transfer.report import Check, MoveReport
from ..backup.make import CREATE_KEY
from ..backup.restore import Restoring
from ..backup.restore_plan import plan_of, question
from ..backup.verify import chosen
from ..guard import Guard, Options, guarded
from .checks import present, require_other_buckets, require_salt, require_same_tables
from .copies import ReadBack
from .facts import contents_of_set, server_of, server_of_set
from .holding import OPERATION
from .last import caution
from .proof import Proof
from .replaced import Replaced, saved, told
from .reporting import FOLDER, keep_report

COMMAND = f"{OPERATION} import"


@dataclass(frozen=True)
class ServerImported:
    """A server that was imported. `safety` is the set of what was there before, None if there was nothing.

    `edits_file` has what of it was newer than the imported set, `kept` names its database if that is damaged.
    `caution` says it if people may still work on the old server, and is empty after `export --final`.
    """

    stack: str
    source: str
    backup: str
    seconds: float
    tables: tuple[TableRows, ...]
    checks: tuple[Check, ...]
    missing: tuple[str, ...]
    safety: str | None
    edits_file: str | None
    kept: str | None
    keys_created: tuple[str, ...]
    by_hand: tuple[Chore, ...]
    report: Path | None
    caution: str
    dry_run: bool
    steps: tuple[str, ...]

    @property
    def exit_code(self) -> int:
        """0, or 5 if the old server lacked files that its rows name."""
        return 5 if self.missing else 0


def transfer_import(
    ports: Ports,
    sets: Ports,
    options: Options,
    *,
    backup: str | None = None,
    safety: bool = True,
    report: Path | None = None,
) -> ServerImported:
    """Replace the data of a stack by a set, prove that the server works, and report. All or nothing.

    `sets` are the same ports, but for the store of backups and its key: those of the folder.
    """
    moved.require_here(ports.records)
    require_key(sets)
    manifest = chosen(sets, backup)[0]
    require_same_tables(contents_of_set(sets.backups.store, manifest), present(ports))
    require_other_buckets(manifest.stack, server_of_set(sets.backups.store, manifest).settings, ports)
    require_salt(sets.backups.store, manifest, ports)
    began = ports.clock.monotonic()
    asked = f"{caution(_place(sets), manifest)} {question(plan_of(manifest, ports))}".strip()
    with guarded(ports, COMMAND, target=manifest.id, options=options, question=asked) as guard:
        importing = _Importing(ports, sets, manifest, guard)
        if guard.dry_run:
            importing.plan(safety=safety)
        else:
            importing.run(safety=safety)
            guard.result = manifest.id
    return importing.result(round(ports.clock.monotonic() - began, 3), report)


def require_key(sets: Ports) -> None:
    """Check that the key of the sets is here. Raises RefusedError."""
    store, hint = sets.backups.store, "Name the file with its key, or its recovery sheet: --key FILE"
    if sets.backups.keys.identity() is None:
        raise RefusedError(f"The key that opens the sets in {store.place} is not on this machine.", hint=hint)
    if store.unreadable() and not store.manifests():
        raise RefusedError(f"The key does not open the sets in {store.place}, or they are damaged.", hint=hint)


def _place(sets: Ports) -> Path:
    return Path(sets.backups.store.place)


class _Importing:
    """An import while it runs."""

    def __init__(self, ports: Ports, sets: Ports, manifest: Manifest, guard: Guard) -> None:
        self._ports, self._sets, self._manifest, self._guard = ports, sets, manifest, guard
        self._proof = Proof(sets, ports, manifest, self._report, ReadBack(ports))
        self._replaced = Replaced()
        self._caution = caution(_place(sets), manifest)
        self._keys_created: tuple[str, ...] = ()

    def _report(self, sentence: str) -> None:
        self._guard.step(sentence)

    def plan(self, *, safety: bool) -> None:
        """Announce all steps."""
        if safety:
            self._guard.step(f"Back up what {self._ports.name} has, to be safe")
        self._guard.step(f"Verify {self._manifest.id}, and add its objects")
        self._guard.step("Replace the data, compare every row count and every object, start the server, synchronise")

    def run(self, *, safety: bool) -> None:
        """Import. Whatever fails, what was there before is there again."""
        target = self._ports.backups.target
        target.serve_database()
        if safety and target.tables() and self._ports.backups.keys.recipient() is None:
            self._report(CREATE_KEY)
            self._keys_created = (self._ports.name,)
        restoring = Restoring(
            self._sets, self._ports, self._manifest, self._guard.step, self._report, proof=self._proof.run
        )
        with saved(self._ports, self._report, safety=safety) as backup:
            restoring.run(safety=False)
        self._replaced = Replaced(backup, restoring.edits_file, restoring.kept)

    def result(self, seconds: float, report: Path | None) -> ServerImported:
        """Return what was done, with its report on the disk."""
        manifest, ports = self._manifest, self._ports
        missing = tuple(f"{one.shown}: {one.why}" for one in manifest.missing)
        left, written = ((), None) if self._guard.dry_run else self._write(report, missing)
        return ServerImported(
            ports.name,
            manifest.stack,
            manifest.id,
            seconds,
            self._proof.tables,
            tuple(self._proof.checks),
            missing,
            self._replaced.safety,
            self._replaced.edits_file,
            self._replaced.database,
            self._keys_created,
            left,
            written,
            self._caution,
            self._guard.dry_run,
            self._guard.steps,
        )

    def _write(self, path: Path | None, missing: tuple[str, ...]) -> tuple[tuple[Chore, ...], Path]:
        manifest, ports = self._manifest, self._ports
        left = chores(server_of_set(self._sets.backups.store, manifest), server_of(ports))
        report = MoveReport(
            old=manifest.stack,
            new=ports.name,
            by=ports.lock.identity(),
            at=ports.clock.now(),
            backup=manifest.id,
            copies=(),
            down_s=None,
            checks=self._proof.checks,
            tables=self._proof.tables,
            missing=missing,
            chores=left,
            way_back=(f"On the old machine: `qfc --stack {manifest.stack} transfer back`",),
            caution=self._caution,
            before=tuple(told(self._replaced, ports.name)),
        )
        return left, keep_report(report, path or ports.folder / FOLDER / f"{manifest.id}.md")
