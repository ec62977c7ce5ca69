"""Users and their plans: users who cannot log in, limits of plans, quotas that are nearly used up."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from ipaddress import ip_address, ip_network

from ..stack.model import User
from ..stack.model.conditions import PlacesTaken, PlanChange, PlanLimits
from .base import Auto, Check, DeploymentCheck, Severity
from .evidence import Evidence, named
from .worker_address import job_network, network_ranges

ACTIVE = ("active_paid", "active_past_due")
#: How many organizations are checked.
MOST_ORGANIZATIONS = 200
#: Wrong logins of so long count.
LOGINS_SEEN = timedelta(days=30)
#: Share of the quota from which an account is reported.
SOON = 0.9
COMMAND_S = 120.0


class NoSuperuser(Check):
    """Nobody can open the admin."""

    id = "A13-superuser"
    title = "No superuser can log in"
    severity = Severity.INFO
    fix = "Create one: qfc users create NAME --superuser"

    def look(self, seen: Evidence) -> str | None:
        """Count the active superusers."""
        return "The server has no active superuser." if not seen.conditions.accounts.superusers() else None


class LockedOut(Check):
    """G09: after five wrong passwords, the right one is refused as well."""

    id = "G09"
    title = "Users are locked out after wrong passwords"
    severity = Severity.WARNING
    fix = "Wait half an hour after the last attempt, or type: qfc users unlock NAME"
    auto = Auto.ASK

    def look(self, seen: Evidence) -> str | None:
        """Look for accounts with too many failed logins."""
        found = self._names(seen)
        return f"Locked out: {named(found)}." if found else None

    def difference(self, seen: Evidence) -> tuple[str, ...]:
        """Return the users who would be unlocked."""
        return tuple(f"{name} can log in again at once" for name in self._names(seen))

    def repair(self, seen: Evidence) -> None:
        """Let the application forget the wrong passwords."""
        for name in self._names(seen):
            seen.ports.runtime.execute("app", ["axes_reset_username", "--", name], timeout_s=COMMAND_S)

    def _names(self, seen: Evidence) -> tuple[str, ...]:
        return seen.once("locked out", lambda: seen.conditions.accounts.locked_out(seen.ports.clock.now())) or ()


class SharedAddress(DeploymentCheck):
    """G09: the application locks a name for an address, and sees all clients under the address of nginx."""

    id = "G09-address"
    title = "Anybody can lock an account for everybody"
    severity = Severity.INFO
    fix = "Let the outer proxy limit requests to /accounts/login/ and /api/v1/auth/; unlock: qfc users unlock NAME"

    def look(self, seen: Evidence) -> str | None:
        """Compare the addresses of wrong logins of the last 30 days with the deployment's own network."""
        since = seen.ports.clock.now() - LOGINS_SEEN
        addresses = seen.conditions.accounts.failed_from(since)
        if not addresses:
            return None
        inside = [one for one in addresses if _is_inside(one, network_ranges(seen, job_network(seen)))]
        if len(inside) < len(addresses):
            return None
        return f"All wrong logins seem to come from {named(inside)}, which is not a client but nginx."


class InactiveByDefault(Check):
    """H01: new accounts can do nothing."""

    id = "H01-plan"
    title = "New accounts start inactive"
    severity = Severity.WARNING
    fix = "In the admin, set the initial status of the plan to active_paid"
    auto = Auto.ASK

    def look(self, seen: Evidence) -> str | None:
        """Read the initial status of the default plans."""
        found = self._plans(seen)
        return f"Default plans: {named(f'{one.code} ({one.initial_status})' for one in found)}." if found else None

    def difference(self, seen: Evidence) -> tuple[str, ...]:
        """Return the initial status before and after."""
        return tuple(f"plan {one.code}: {one.initial_status} → active_paid" for one in self._plans(seen))

    def repair(self, seen: Evidence) -> None:
        """Make new accounts active from the start."""
        for one in self._plans(seen):
            seen.conditions.accounts.change_plan(one.code, PlanChange.ACTIVE)

    def _plans(self, seen: Evidence) -> list[PlanLimits]:
        plans = seen.once("plan limits", seen.conditions.accounts.plan_limits) or ()
        return [one for one in plans if one.is_default and one.initial_status and one.initial_status not in ACTIVE]


class PlanInsufficient(Check):
    """H02: jobs of projects with external layers are refused."""

    id = "H02"
    title = "A plan does not allow external databases"
    severity = Severity.WARNING
    fix = "Allow external databases in the plan, in the admin, or change the plan: qfc users quota NAME --plan PLAN"
    auto = Auto.ASK

    def look(self, seen: Evidence) -> str | None:
        """Read the plans of accounts that own projects with external layers."""
        wanted, plans = self._projects(seen), self._plans(seen)
        found = [name for name in wanted if name.partition("/")[0] in plans]
        return f"Projects with external layers: {named(found)}." if found else None

    def difference(self, seen: Evidence) -> tuple[str, ...]:
        """Return the plans that would change, and how many accounts have each."""
        limits = seen.once("plan limits", seen.conditions.accounts.plan_limits) or ()
        accounts = {one.code: one.accounts for one in limits}
        plans = sorted(set(self._plans(seen).values()))
        return tuple(f"plan {code} ({accounts.get(code, 0)} accounts): external databases allowed" for code in plans)

    def repair(self, seen: Evidence) -> None:
        """Allow external databases in these plans."""
        for code in sorted(set(self._plans(seen).values())):
            seen.conditions.accounts.change_plan(code, PlanChange.EXTERNAL_DATABASES)

    def _projects(self, seen: Evidence) -> list[str]:
        online = seen.once("online projects", seen.conditions.projects.online) or ()
        return list(dict.fromkeys((*online, *(job.project for job in seen.failed_of("H02")))))

    def _plans(self, seen: Evidence) -> dict[str, str]:
        """Return the plans without external databases, by the accounts that need them."""
        owners = {name.partition("/")[0] for name in self._projects(seen)}
        known = {owner: seen.ports.directory.subscription(owner) for owner in sorted(owners)}
        return {owner: has.plan for owner, has in known.items() if has and has.has_external_databases is False}


class QuotaSoonUsedUp(Check):
    """H03, before it happens."""

    id = "H03-soon"
    title = "The storage quota of an account is nearly used up"
    severity = Severity.WARNING
    fix = "Delete old versions of files, or raise the quota: qfc users quota NAME --set SIZE"

    def look(self, seen: Evidence) -> str | None:
        """Compare the used storage of accounts with their quotas."""
        near = [one for one in seen.users() if one.is_active and SOON <= _share(one) < 1]
        if not near:
            return None
        old = {one.owner: one.bytes for one in seen.conditions.files.old_versions() or ()}
        listed = named(_usage(one, old.get(one.username, 0)) for one in near)
        return f"Used: {listed}."


class NoPlaceLeft(Check):
    """H05: the next member or collaborator is refused."""

    id = "H05"
    title = "A plan allows no more members or collaborators"
    severity = Severity.INFO
    fix = "Raise the maximum of the plan in the admin; -1 means no limit"
    auto = Auto.ASK

    def look(self, seen: Evidence) -> str | None:
        """Count the members of organizations and the collaborators of private projects."""
        found = self._full(seen)
        listed = named(f"{one.name} ({one.taken} of {one.most} {one.what})" for one in found)
        return f"Full: {listed}." if found else None

    def difference(self, seen: Evidence) -> tuple[str, ...]:
        """Return the limits that would be removed."""
        return tuple(dict.fromkeys(f"plan {one.plan}, {one.what}: {one.most} → no limit" for one in self._full(seen)))

    def repair(self, seen: Evidence) -> None:
        """Remove the limits from these plans."""
        for code, what in sorted({(one.plan, one.what) for one in self._full(seen)}):
            seen.conditions.accounts.change_plan(code, PlanChange(what))

    def _full(self, seen: Evidence) -> tuple[PlacesTaken, ...]:
        return seen.once("places taken", seen.conditions.accounts.places_taken) or ()


def _is_inside(address: str, ranges: Sequence[str]) -> bool:
    return any(ip_address(address) in ip_network(one, strict=False) for one in ranges)


def _share(user: User) -> float:
    return user.storage_used_bytes / user.storage_quota_bytes if user.storage_quota_bytes else 0.0


def _usage(user: User, old_bytes: int) -> str:
    old = f", old versions {old_bytes / 1e6:.0f} MB" if old_bytes else ""
    return f"{user.username} {_share(user):.0%}{old}"


class OwnerInactive(Check):
    """The account that acts for an organization is inactive: jobs of its projects have no user to run as."""

    id = "owner-inactive"
    title = "The owner of an organization is inactive"
    severity = Severity.WARNING
    fix = "Set another owner in the admin, or let the owner log in again: qfc users disable --undo NAME"

    def look(self, seen: Evidence) -> str | None:
        """Look for organizations whose owner is inactive."""
        inactive = {one.username for one in seen.users() if one.type == "person" and not one.is_active}
        organizations = [one.username for one in seen.users() if one.type == "organization"][:MOST_ORGANIZATIONS]
        if not inactive or not organizations:
            return None
        owners = {name: seen.ports.directory.responsible_for_account(name) for name in organizations}
        found = [f"{name} ({owner})" for name, owner in owners.items() if owner in inactive]
        return f"Organizations (owners): {named(found)}." if found else None


#: Problems that keep users from synchronising.
ACCOUNTS_FOR_SYNC: tuple[Check, ...] = (LockedOut(), PlanInsufficient())
ACCOUNTS: tuple[Check, ...] = (
    NoSuperuser(),
    SharedAddress(),
    InactiveByDefault(),
    QuotaSoonUsedUp(),
    NoPlaceLeft(),
    OwnerInactive(),
)
