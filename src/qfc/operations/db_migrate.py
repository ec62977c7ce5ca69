"""Apply the migrations that the application needs."""

from __future__ import annotations

from dataclasses import dataclass

from ..stack.ports import Ports
from .guard import Options, guarded
from .management import MIGRATE_S, manage, unapplied_migrations
from .queue_change import count


@dataclass(frozen=True)
class Migrated:
    """Migrations that were applied, or would be with `--dry-run`."""

    migrations: tuple[str, ...]
    dry_run: bool


def db_migrate(ports: Ports, options: Options) -> Migrated:
    """Apply the missing migrations, after a question that gives their number; without any, ask nothing."""
    missing = unapplied_migrations(ports.runtime)
    what = f"Apply {count(len(missing), 'migration')}"
    if not missing:
        return Migrated((), options.dry_run)
    for name in missing:
        options.report(name)
    with guarded(ports, "db migrate", target=missing[-1], options=options, question=f"{what}?") as guard:
        if guard.step(what):
            manage(ports.runtime, "migrate", "--no-input", timeout_s=MIGRATE_S)
        guard.result = count(len(missing), "migration")
    return Migrated(missing, guard.dry_run)
