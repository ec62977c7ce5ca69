"""People and their plans: who may not log in, what a plan does not allow, what is nearly used up."""

from __future__ import annotations

from ..stack.model import User
from ..stack.model.conditions import PlacesTaken, PlanChange, PlanLimits
from .base import Auto, Check, Severity
from .evidence import Evidence, named

ACTIVE = ("active_paid", "active_past_due")
#: So many organizations are asked about.
MOST_ORGANIZATIONS = 200
#: Share of the quota at which it is told.
SOON = 0.9
COMMAND_S = 120.0


class NoSuperuser(Check):
    """Nobody may open the admin."""

    id = "A13-superuser"
    title = "No superuser may log in"
    severity = Severity.INFO
    fix = "Make one: qfc users create NAME --superuser"

    def look(self, seen: Evidence) -> str | None:
        """Count them."""
        return "There is none." if not seen.conditions.accounts.superusers() else None


class LockedOut(Check):
    """G09: after five wrong passwords the right one is refused as well."""

    id = "G09"
    title = "People are locked out for wrong passwords"
    severity = Severity.WARNING
    fix = "It ends by itself half an hour after the last try; at once: axes_reset_username NAME, in the application"
    auto = Auto.ASK

    def look(self, seen: Evidence) -> str | None:
        """Ask for their names."""
        found = self._names(seen)
        return f"{named(found)}." if found else None

    def difference(self, seen: Evidence) -> tuple[str, ...]:
        """Return who may try again."""
        return tuple(f"{name} may log in again at once" for name in self._names(seen))

    def repair(self, seen: Evidence) -> None:
        """Forget the wrong passwords."""
        for name in self._names(seen):
            seen.ports.runtime.execute("app", ["axes_reset_username", "--", name], timeout_s=COMMAND_S)

    def _names(self, seen: Evidence) -> tuple[str, ...]:
        return seen.once("locked out", lambda: seen.conditions.accounts.locked_out(seen.ports.clock.now())) or ()


class InactiveByDefault(Check):
    """H01: whoever gets an account may do nothing with it."""

    id = "H01-plan"
    title = "New accounts begin inactive"
    severity = Severity.WARNING
    fix = "In the admin, set the initial status of the plan to active_paid"
    auto = Auto.ASK

    def look(self, seen: Evidence) -> str | None:
        """Look at the plans that accounts get without being asked."""
        found = self._plans(seen)
        return f"By plan: {named(f'{one.code} ({one.initial_status})' for one in found)}." if found else None

    def difference(self, seen: Evidence) -> tuple[str, ...]:
        """Return the values as they are and as they would be."""
        return tuple(f"plan {one.code}: {one.initial_status} → active_paid" for one in self._plans(seen))

    def repair(self, seen: Evidence) -> None:
        """Let accounts be active from the beginning."""
        for one in self._plans(seen):
            seen.conditions.accounts.change_plan(one.code, PlanChange.ACTIVE)

    def _plans(self, seen: Evidence) -> list[PlanLimits]:
        plans = seen.once("plan limits", seen.conditions.accounts.plan_limits) or ()
        return [one for one in plans if one.is_default and one.initial_status and one.initial_status not in ACTIVE]


class PlanInsufficient(Check):
    """H02: jobs of projects with layers elsewhere are refused."""

    id = "H02"
    title = "A plan does not allow layers in databases elsewhere"
    severity = Severity.WARNING
    fix = "Another plan: qfc users quota NAME --plan PLAN; or allow external databases in the plan, in the admin"
    auto = Auto.ASK

    def look(self, seen: Evidence) -> str | None:
        """Look at the plans of those who own such projects."""
        wanted, plans = self._projects(seen), self._plans(seen)
        found = [name for name in wanted if name.partition("/")[0] in plans]
        return f"They have such layers: {named(found)}." if found else None

    def difference(self, seen: Evidence) -> tuple[str, ...]:
        """Return the plans as they would be, and whom they are for besides."""
        limits = seen.once("plan limits", seen.conditions.accounts.plan_limits) or ()
        accounts = {one.code: one.accounts for one in limits}
        plans = sorted(set(self._plans(seen).values()))
        return tuple(f"plan {code} ({accounts.get(code, 0)} accounts): external databases allowed" for code in plans)

    def repair(self, seen: Evidence) -> None:
        """Let their plans allow it."""
        for code in sorted(set(self._plans(seen).values())):
            seen.conditions.accounts.change_plan(code, PlanChange.EXTERNAL_DATABASES)

    def _projects(self, seen: Evidence) -> list[str]:
        online = seen.once("online projects", seen.conditions.projects.online) or ()
        return list(dict.fromkeys((*online, *(job.project for job in seen.failed_of("H02")))))

    def _plans(self, seen: Evidence) -> dict[str, str]:
        """Return the plans that do not allow it, by the accounts that would need it."""
        owners = {name.partition("/")[0] for name in self._projects(seen)}
        known = {owner: seen.ports.directory.subscription(owner) for owner in sorted(owners)}
        return {owner: has.plan for owner, has in known.items() if has and has.has_external_databases is False}


class QuotaSoonUsedUp(Check):
    """H03, before it happens."""

    id = "H03-soon"
    title = "The storage quota of an account is nearly used up"
    severity = Severity.WARNING
    fix = "More: qfc users quota NAME --set SIZE; or fewer old versions of files"

    def look(self, seen: Evidence) -> str | None:
        """Compare what accounts store with what they may."""
        near = [one for one in seen.users() if one.is_active and SOON <= _share(one) < 1]
        if not near:
            return None
        old = {one.owner: one.bytes for one in seen.conditions.files.old_versions() or ()}
        told = named(_told(one, old.get(one.username, 0)) for one in near)
        return f"Used: {told}."


class NoPlaceLeft(Check):
    """H05: the next member or collaborator is refused."""

    id = "H05"
    title = "A plan allows no more members or collaborators"
    severity = Severity.INFO
    fix = "Raise the maximum of the plan in the admin; -1 is without limit"
    auto = Auto.ASK

    def look(self, seen: Evidence) -> str | None:
        """Ask where all places are taken."""
        found = self._full(seen)
        told = named(f"{one.name} ({one.taken} of {one.most} {one.what})" for one in found)
        return f"Full: {told}." if found else None

    def difference(self, seen: Evidence) -> tuple[str, ...]:
        """Return the limits that would fall."""
        return tuple(dict.fromkeys(f"plan {one.plan}, {one.what}: {one.most} → no limit" for one in self._full(seen)))

    def repair(self, seen: Evidence) -> None:
        """Let their plans be without limit."""
        for code, what in sorted({(one.plan, one.what) for one in self._full(seen)}):
            seen.conditions.accounts.change_plan(code, PlanChange(what))

    def _full(self, seen: Evidence) -> tuple[PlacesTaken, ...]:
        return seen.once("places taken", seen.conditions.accounts.places_taken) or ()


def _share(user: User) -> float:
    return user.storage_used_bytes / user.storage_quota_bytes if user.storage_quota_bytes else 0.0


def _told(user: User, old_bytes: int) -> str:
    old = f", old versions {old_bytes / 1e6:.0f} MB" if old_bytes else ""
    return f"{user.username} {_share(user):.0%}{old}"


#: What keeps a person from synchronising.
class OwnerInactive(Check):
    """Whoever acts for an organization may not: jobs of its projects have nobody to run for."""

    id = "owner-inactive"
    title = "The owner of an organization may not log in"
    severity = Severity.WARNING
    fix = "Give it another owner in the admin, or let the owner in again: qfc users disable --undo NAME"

    def look(self, seen: Evidence) -> str | None:
        """Ask who acts for each organization."""
        inactive = {one.username for one in seen.users() if one.type == "person" and not one.is_active}
        organizations = [one.username for one in seen.users() if one.type == "organization"][:MOST_ORGANIZATIONS]
        if not inactive or not organizations:
            return None
        owners = {name: seen.ports.directory.responsible_for_account(name) for name in organizations}
        found = [f"{name} ({owner})" for name, owner in owners.items() if owner in inactive]
        return f"{named(found)}." if found else None


PEOPLE_FOR_SYNC: tuple[Check, ...] = (LockedOut(), PlanInsufficient())
PEOPLE: tuple[Check, ...] = (NoSuperuser(), InactiveByDefault(), QuotaSoonUsedUp(), NoPlaceLeft(), OwnerInactive())
