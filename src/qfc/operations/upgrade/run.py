"""`qfc upgrade`: the embedded node to the release that is installed; on any failure back to where it was."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass

from ...errors import DamagedError, QfcError
from ...stack.ports import Ports
from ..backup.make import CREATE_KEY, make
from ..guard import Guard, Options, guarded
from ..management import unapplied_migrations
from .gate import require_working
from .plan import Plan, plan_of, question
from .undo import APP, FINISHING, REPLACING, WORKER, after_failure, finish, note, undo

UPGRADED, UNCHANGED = "upgraded", "unchanged"


@dataclass(frozen=True)
class Took:
    """A step that was taken."""

    name: str
    ok: bool
    seconds: float


@dataclass(frozen=True)
class Upgraded:
    """The outcome. `backup` is the verified set from before; `result` is `upgraded` or `unchanged`."""

    before: str
    after: str
    result: str
    backup: str | None
    key_created: bool
    migrations: tuple[str, ...] | None
    steps: tuple[Took, ...]
    plan: tuple[str, ...]
    dry_run: bool


def upgrade(ports: Ports, options: Options, *, safety: bool = True) -> Upgraded:
    """Upgrade a stack, after a question that says from what to what."""
    plan = plan_of(ports)
    if plan.is_nothing and ports.interrupted() is None:
        return _result(plan, UNCHANGED, _Upgrade(ports, plan, Guard(options.dry_run)), options.dry_run)
    asked = question(ports.name, plan)
    with guarded(ports, "upgrade", target=str(plan.after), options=options, question=asked) as guard:
        # The guard may have finished or undone an upgrade that was interrupted.
        plan = plan if guard.dry_run else plan_of(ports)
        running = _Upgrade(ports, plan, guard)
        if not plan.is_nothing:
            running.run(safety=safety)
        guard.result = f"{plan.before} → {plan.after}"
    is_done = not guard.dry_run and not plan.is_nothing
    return _result(plan, UPGRADED if is_done else UNCHANGED, running, guard.dry_run)


class _Upgrade:
    """One upgrade. Until the release is proven, no device reaches it, and everything can go back."""

    def __init__(self, ports: Ports, plan: Plan, guard: Guard) -> None:
        self._ports, self._plan, self.guard = ports, plan, guard
        self.took: list[Took] = []
        self.backup: str | None = None
        self.key_created = False

    def run(self, *, safety: bool) -> None:
        """Upgrade. Raises QfcError; then everything is as before."""
        if safety:
            self._step("Back up the present state, and verify the set", self._save)
        try:
            for sentence, do in self._replacing():
                self._step(sentence, do)
        except BaseException as error:
            self.guard.report("Back to where it was")
            ran_again = undo(self._ports)
            if isinstance(error, QfcError):
                raise after_failure(error, self._plan.before, ran=self._plan.ran, ran_again=ran_again) from error
            raise
        self._step("Start the release for devices, and remove what was kept", lambda: finish(self._ports))

    def _replacing(self) -> tuple[tuple[str, Callable[[], None]], ...]:
        new = f"Move the data to PostgreSQL {self._plan.after.postgres}" if self._plan.moves_data else ""
        return (
            ("Stop the API, and the workers after their jobs", self._stop),
            (f"{new}; the present ones are kept" if new else "Keep a copy of the database", self._renew),
            ("Start the release where no device is, and migrate the database", self._ports.upgrades.start_hidden),
            ("Prove that it works: migrations, API, file, package, edit", self._prove),
        )

    def _save(self) -> None:
        ports = self._ports
        ports.backups.target.serve_database()
        self.key_created = ports.backups.keys.recipient() is None
        if self.key_created:
            self.guard.report(CREATE_KEY)
        manifest, problems = make(ports, self.guard.report)
        if problems or manifest.missing:
            why = problems[0] if problems else f"the server lacks {len(manifest.missing)} files"
            raise DamagedError(
                f"Nothing was upgraded: the set {manifest.id} does not count: {why}",
                hint="See: qfc db verify. To upgrade without a set, add --no-safety-set",
            )
        self.backup = manifest.id

    def _stop(self) -> None:
        self._ports.upgrades.remember()
        note(self._ports, REPLACING, self._plan)
        self._ports.runtime.stop([APP, WORKER])

    def _renew(self) -> None:
        self._ports.backups.target.serve_database()
        self._ports.upgrades.renew_database()

    def _prove(self) -> None:
        missing = unapplied_migrations(self._ports.runtime)
        if missing:
            raise QfcError(f"{len(missing)} migrations are missing, such as {missing[0]}.")
        require_working(self._ports, self.guard.report)
        note(self._ports, FINISHING, self._plan)

    def _step(self, sentence: str, do: Callable[[], None]) -> None:
        if self.guard.step(sentence):
            with self._timed(sentence):
                do()

    @contextmanager
    def _timed(self, sentence: str) -> Generator[None]:
        began = self._ports.clock.monotonic()
        yield
        self.took.append(Took(sentence, True, round(self._ports.clock.monotonic() - began, 3)))


def _result(plan: Plan, result: str, running: _Upgrade, dry_run: bool) -> Upgraded:
    return Upgraded(
        str(plan.before),
        str(plan.after),
        result,
        running.backup,
        running.key_created,
        plan.migrations,
        tuple(running.took),
        running.guard.steps,
        dry_run,
    )
