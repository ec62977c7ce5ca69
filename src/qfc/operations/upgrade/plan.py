"""What an upgrade would change, and what forbids it."""

from __future__ import annotations

from dataclasses import dataclass

from ...errors import NotRunningError, RefusedError
from ...stack.migrations import not_in_release, planned
from ...stack.node_release import NodeRelease
from ...stack.ports import Ports
from ..management import manage
from ..queue_change import count
from ..status import is_running


@dataclass(frozen=True)
class Plan:
    """`migrations` are those that the database lacks; None where it does not run, so that nobody knows."""

    before: NodeRelease
    after: NodeRelease
    migrations: tuple[str, ...] | None
    ran: bool

    @property
    def is_nothing(self) -> bool:
        """Whether the stack has the installed release already."""
        return self.before.is_same(self.after) and self.migrations == ()

    @property
    def moves_data(self) -> bool:
        """Whether the data need another major release of PostgreSQL."""
        return self.before.postgres != self.after.postgres


def plan_of(ports: Ports) -> Plan:
    """Return what an upgrade would change. Raises RefusedError for what forbids it; nothing is changed."""
    before = ports.upgrades.present()
    if before is None:
        raise RefusedError("The stack was never started: there is nothing to upgrade.", hint="Type: qfc up")
    after = ports.upgrades.installed()
    ports.runtime.check_settings()
    plan = Plan(before, after, _missing(ports, before), is_running(ports.runtime.services()))
    _require_room(ports, plan)
    return plan


def question(name: str, plan: Plan) -> str:
    """Return the question before anything is changed."""
    more = "all missing migrations" if plan.migrations is None else count(len(plan.migrations), "migration")
    return (
        f"Upgrade {name} from {plan.before} to {plan.after}, with {more}? "
        "Until the new release is proven, devices reach nothing."
    )


def _missing(ports: Ports, before: NodeRelease) -> tuple[str, ...] | None:
    try:
        known, missing = planned(manage(ports.runtime, "showmigrations", "--plan").stdout)
        newer = not_in_release(ports.directory.applied_migrations(), known)
    except NotRunningError:
        return None
    if newer:
        raise RefusedError(
            f"The data are of a newer release than the installed one: it lacks {newer[0]}.",
            hint=f"Install that release again (qfieldcloud-suite=={before.version}), or go back to a set: qfc db list",
        )
    return missing


def _require_room(ports: Ports, plan: Plan) -> None:
    needed, free = ports.upgrades.room_bytes(), ports.runtime.disk().free_bytes
    if not plan.is_nothing and free < needed:
        raise RefusedError(
            f"The way back needs {needed / 1e9:.1f} GB on the disk of the stack; {free / 1e9:.1f} GB are free.",
            hint="See: qfc services disk",
        )
