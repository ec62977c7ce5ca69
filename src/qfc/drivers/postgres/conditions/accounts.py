"""Problems of users and their plans, as rows show them."""

from __future__ import annotations

from datetime import datetime, timedelta

from qfc.errors import NotFoundError
from qfc.stack.model.conditions import PlacesTaken, PlanChange, PlanLimits

from ....stack.ports.diagnosis import AccountConditions
from ..connection import Database
from .reading import MOST, Reader

#: The application's rule to lock users out: the number of wrong passwords, and the time.
TRIES, LOCKED_FOR = 5, timedelta(minutes=30)
#: The statements that change a plan.
PLAN_CHANGES = {
    PlanChange.ACTIVE: "conditions_accounts.make_plan_active",
    PlanChange.EXTERNAL_DATABASES: "conditions_accounts.allow_databases",
    PlanChange.MEMBERS: "conditions_accounts.lift_members",
    PlanChange.COLLABORATORS: "conditions_accounts.lift_collaborators",
}


class PostgresAccounts(AccountConditions):
    """Users, organizations and plans in the database."""

    def __init__(self, database: Database) -> None:
        self._database, self._reader = database, Reader(database)

    def superusers(self) -> int:
        return int(self._reader.row("conditions_accounts.superusers")["superusers"])

    def locked_out(self, now: datetime) -> tuple[str, ...] | None:
        since = now - LOCKED_FOR
        found = self._reader.kept_rows("conditions_accounts.locked_out", since=since, limit=TRIES)
        return None if found is None else tuple(row["username"] for row in found)

    def failed_from(self, since: datetime) -> tuple[str, ...] | None:
        found = self._reader.kept_rows("conditions_accounts.failed_from", since=since, limit=MOST)
        return None if found is None else tuple(row["address"] for row in found)

    def plan_limits(self) -> tuple[PlanLimits, ...] | None:
        return self._reader.kept(PlanLimits, "conditions_accounts.plan_limits")

    def places_taken(self) -> tuple[PlacesTaken, ...] | None:
        return self._reader.kept(PlacesTaken, "conditions_accounts.places_taken", limit=MOST)

    def change_plan(self, code: str, change: PlanChange) -> None:
        statement = PLAN_CHANGES[change]
        with self._database.writing() as transaction:
            if not transaction.answers(statement) or not transaction.change(statement, code=code):
                raise NotFoundError(f"There is no plan {code}.", hint="Type: qfc users plans")
