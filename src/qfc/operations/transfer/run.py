"""Move a server to another stack: copies ahead while people work, then a short interruption. All or nothing."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path

from ...errors import PartlyDoneError, QfcError
from ...stack.backup_set import Manifest
from ...stack.ports import Ports
from ...stack.transfer.by_hand import Chore
from ...stack.transfer.contents import Contents, TableRows
from ...stack.transfer.moved import Moved
from ...stack.transfer.report import Check
from ...stack.transfer.rounds import Copied, is_another_worth_it
from ..backup.make import CREATE_KEY
from ..backup.release import require_release
from ..backup.restore import Restoring
from ..backup.restore_plan import summary, words
from ..guard import Guard, Options, guarded
from .checks import require_movable, require_salt
from .copies import ReadBack, copy, objects_of, require_own_store
from .holding import OPERATION, give_back, hold, intend, stand_down
from .proof import Proof
from .replaced import Replaced, saved
from .reporting import write_report

COMMAND = f"{OPERATION} run"


@dataclass(frozen=True)
class Transferred:
    """A server that was moved, or copied ahead (`moved` is then false). `down_s` is how long nobody could write.

    `safety` is the set of what the new server had, None if it had nothing; `edits_file` has what of it was newer than
    the set that replaced it, `kept` names its database if that is damaged; `missing` is what the old server lacked;
    `keys_created` names the stacks that had no key of backups before.
    """

    source: str
    target: str
    moved: bool
    backup: str
    copies: tuple[Copied, ...]
    down_s: float | None
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
    dry_run: bool
    steps: tuple[str, ...]

    @property
    def exit_code(self) -> int:
        """0, or 5 if the old server lacked files that its rows name."""
        return 5 if self.missing else 0


def transfer_run(
    old: Ports, new: Ports, options: Options, *, cut: bool = True, safety: bool = True, report: Path | None = None
) -> Transferred:
    """Move a server to another stack; without `cut` only copy ahead, which can be repeated while people work."""
    before, after = require_movable(old, new)
    began = old.clock.monotonic()
    asked = _question(before, after, new.name) if cut else ""
    with (
        guarded(old, COMMAND, target=f"to {new.name}", options=options, question=asked) as guard,
        guarded(new, COMMAND, target=f"from {old.name}", options=replace(options, yes=True)),
    ):
        moving = Moving(old, new, guard)
        if guard.dry_run:
            moving.plan(cut=cut, safety=safety and (after is None or bool(after.tables)))
        else:
            moving.run(cut=cut, safety=safety)
    seconds = round(old.clock.monotonic() - began, 3)
    return _result(moving, seconds, *(write_report(moving, report) if moving.is_moved else ((), None)))


def _result(moving: Moving, seconds: float, chores: tuple[Chore, ...], report: Path | None) -> Transferred:
    return Transferred(
        moving.old.name,
        moving.new.name,
        moving.is_moved,
        moving.backup,
        tuple(moving.copies),
        moving.down_s,
        seconds,
        moving.tables,
        tuple(moving.checks),
        tuple(moving.missing),
        moving.replaced.safety,
        moving.replaced.edits_file,
        moving.replaced.database,
        tuple(moving.keys_created),
        chores,
        report,
        moving.guard.dry_run,
        moving.guard.steps,
    )


def _question(before: Contents, after: Contents | None, name: str) -> str:
    now = "what it has now cannot be read" if after is None else words(summary(after.tables))
    return (
        f"Move {before.name} ({words(summary(before.tables))}) to {name}, whose data ({now}) are replaced. "
        f"Nobody can write to {before.name} during the last copy, and after it. Move?"
    )


@dataclass
class Moving:
    """A move while it runs."""

    old: Ports
    new: Ports
    guard: Guard
    copies: list[Copied] = field(default_factory=list[Copied])
    checks: list[Check] = field(default_factory=list[Check])
    tables: tuple[TableRows, ...] = ()
    missing: list[str] = field(default_factory=list[str])
    backup: str = ""
    down_s: float | None = None
    replaced: Replaced = field(default_factory=Replaced)
    keys_created: list[str] = field(default_factory=list[str])
    is_moved: bool = False

    def __post_init__(self) -> None:
        self._read = ReadBack(self.new)
        self._restoring: Restoring | None = None

    def report(self, sentence: str) -> None:
        """Announce a step that is taken."""
        self.guard.step(sentence)

    def plan(self, *, cut: bool, safety: bool) -> None:
        """Announce all steps."""
        old, new, key = self.old.name, self.new.name, self.old.backups.keys.recipient() is None
        last = (
            *([f"Back up what {new} has, to be safe"] if safety else []),
            f"Let the queue of {old} run empty, stop its workers, block writes",
            "Copy what is new since then",
            f"Replace the data of {new}, compare every row count and every object, start it, synchronise",
            f"Keep {old} as it is, without writes, able to take over again",
        )
        ahead = f"Copy ahead while people work: sets into {self.old.backups.store.place}, objects to {new}"
        for step in (*([CREATE_KEY] if key else []), ahead, *(last if cut else ())):
            self.guard.step(step)

    def run(self, *, cut: bool, safety: bool) -> None:
        """Copy ahead, then move if `cut`."""
        self._note_key(self.old)
        self.copy_ahead()
        if cut:
            self.cut(safety=safety)
        self.guard.result = self.backup

    def _note_key(self, ports: Ports) -> None:
        """Announce that the first set of a stack creates its key."""
        if ports.backups.keys.recipient() is None:
            self.report(CREATE_KEY)
            self.keys_created.append(ports.name)

    def copy_ahead(self) -> None:
        """Copy while people work, until another copy would not shorten the cut."""
        self.new.backups.target.serve_database()
        require_own_store(self.old, self.new)
        while is_another_worth_it(self.copies):
            self.report(f"Copy ahead {len(self.copies) + 1}: only what is new")
            manifest = self._copy()
            require_release(manifest, self.new)
            require_salt(self.old.backups.store, manifest, self.new)
            self._read.ahead(objects_of(self.old, manifest))

    def _copy(self) -> Manifest:
        manifest, copied = copy(self.old, self.new, self.report)
        self.copies.append(copied)
        self.backup = manifest.id
        self.missing = [f"{one.shown}: {one.why}" for one in manifest.missing]
        return manifest

    def cut(self, *, safety: bool) -> None:
        """Move. Whatever fails, one of the two serves: the old one until the new one has everything, then that."""
        if safety and self.new.backups.target.tables():
            self._note_key(self.new)
        with saved(self.new, self.report, safety=safety) as backup:
            began = self._cut(backup)
        self.down_s = round(self.old.clock.monotonic() - began, 3)
        self._stand_down()

    def _cut(self, safety: str | None) -> float:
        """Hold the old server and replace the data of the new one; return since when nobody can write."""
        try:
            began = hold(self.old, self.new.name, self.report)
            self._replace(self._copy(), safety)
            return began
        except BaseException as error:
            is_committed = self._restoring is not None and self._restoring.is_committed
            if is_committed:
                self._stand_down()
            else:
                self._let_go_on()
            if isinstance(error, QfcError):
                raise self._told(error, is_committed=is_committed) from error
            raise

    def _replace(self, manifest: Manifest, safety: str | None) -> None:
        proof = Proof(self.old, self.new, manifest, self.report, self._read)

        def last() -> None:
            proof.run()
            intend(self.old, self._where())

        self._restoring = Restoring(self.old, self.new, manifest, self.guard.step, self.report, proof=last)
        self._restoring.run(safety=False)
        self.checks, self.tables = proof.checks, proof.tables
        self.replaced = Replaced(safety, self._restoring.edits_file, self._restoring.kept)

    def _where(self) -> Moved:
        return Moved(self.new.name, self.old.lock.identity(), self.old.clock.now(), self.backup)

    def _told(self, error: QfcError, *, is_committed: bool) -> QfcError:
        """Return an error that says on which server people work now."""
        if not is_committed:
            return QfcError(f"Nothing was moved: {error.message}", hint=error.hint)
        new = self.new.name
        return PartlyDoneError(
            f"{self.old.name} was moved to {new}, but {new} is not finished: {error.message}",
            hint=f"Solve this, then type: qfc --stack {new} up",
        )

    def _let_go_on(self) -> None:
        self.report(f"Let {self.old.name} accept writes again")
        try:
            give_back(self.old)
        except QfcError as error:
            raise QfcError(
                f"Nothing was moved, and {self.old.name} does not accept writes yet: {error.message}",
                hint=f"Solve this, then type: qfc --stack {self.old.name} up",
            ) from error

    def _stand_down(self) -> None:
        self.is_moved = True
        stand_down(self.old, self._where())
