"""Faults of users, their plans and quotas."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ..stack.ports import Ports
from .base import Fault, RowFault, Scene, UndoData

PLAN_BYTES = 10**7
#: More failed logins than the application allows.
TRIES = 20


@dataclass(frozen=True)
class PlanFault(RowFault):
    """An account whose plan has other `values`, with a project of `used` bytes and these `details`."""

    values: Mapping[str, object] = field(default_factory=dict[str, object])
    used: int = 0
    details: Mapping[str, object] = field(default_factory=dict[str, object])

    def make(self, ports: Ports, known: UndoData) -> None:
        """Create plan, account and project."""
        del known
        ports.lab.plan(self.account, **self.values)
        ports.lab.account(self.account, plan=self.account)
        self.fill(Scene(ports.lab, self.account, ports.clock.now()))

    def undo(self, ports: Ports, known: UndoData) -> None:
        """Remove plan, account and project."""
        RowFault.undo(self, ports, known)
        ports.lab.delete("plan", {"code": self.account})

    def fill(self, scene: Scene) -> None:
        """Create the project."""
        scene.project(file_storage_bytes=self.used, project_details=dict(self.details))


@dataclass(frozen=True)
class InactiveSubscription(RowFault):
    """An account with a project and a draft subscription."""

    def fill(self, scene: Scene) -> None:
        """Create the project, and change the subscription."""
        scene.project()
        (user,) = scene.rows.rows("user", {"username": scene.account}, ["id"])
        scene.rows.change("subscription", {"account_id": user["id"]}, status="inactive_draft")


@dataclass(frozen=True)
class LockedOut(RowFault):
    """A user typed a wrong password too often."""

    def fill(self, scene: Scene) -> None:
        """Create the application's record of the failed logins."""
        scene.rows.insert("attempt", username=scene.account, ip_address="203.0.113.7", user_agent="qfc lab",
                          http_accept="", path_info="/api/v1/auth/login/", get_data="", post_data="",
                          attempt_time=scene.before(1), failures_since_start=TRIES)  # fmt: skip

    def undo(self, ports: Ports, known: UndoData) -> None:
        """Remove the record of failed logins, and the account."""
        ports.lab.delete("attempt", {"username": self.account})
        RowFault.undo(self, ports, known)


@dataclass(frozen=True)
class Organizations(RowFault):
    """An organization with at most `most` members (None: any number), whose owner cannot log in if `inactive`."""

    most: int | None = None
    inactive: bool = False

    def look(self, ports: Ports) -> UndoData:
        """Return the present limits of members."""
        return {"plans": list(ports.lab.rows("plan", self._plans, ["id", "max_organization_members"]))}

    def fill(self, scene: Scene) -> None:
        """Create the organization with a member and a project."""
        organization, member = f"{scene.account}-org", f"{scene.account}-member"
        scene.rows.account(member)
        scene.rows.organization(organization, owner=scene.account, members=[member])
        scene.rows.project(organization, "survey", made_at=scene.before(60))
        if self.most is not None:
            scene.rows.change("plan", self._plans, max_organization_members=self.most)
        if self.inactive:
            scene.rows.change("user", {"username": scene.account}, is_active=False)

    def undo(self, ports: Ports, known: UndoData) -> None:
        """Remove the organization and its users, and restore the limits of members."""
        for row in known["plans"]:
            if self.most is not None:
                most = row["max_organization_members"]
                ports.lab.change("plan", {"id": row["id"]}, max_organization_members=most)
        for name in (f"{self.account}-org", f"{self.account}-member"):
            ports.lab.remove(name)
        RowFault.undo(self, ports, known)

    @property
    def _plans(self) -> Mapping[str, object]:
        return {"is_default": True, "user_type": 2}


@dataclass(frozen=True)
class NoSuperuser(Fault):
    """No user is a superuser."""

    def look(self, ports: Ports) -> UndoData:
        """Return the ids of the superusers."""
        return {"users": [row["id"] for row in ports.lab.rows("user", {"is_superuser": True}, ["id"])]}

    def make(self, ports: Ports, known: UndoData) -> None:
        """Revoke the right from all superusers."""
        ports.lab.change("user", {"id": known["users"]}, is_superuser=False)

    def undo(self, ports: Ports, known: UndoData) -> None:
        """Give the right back."""
        ports.lab.change("user", {"id": known["users"]}, is_superuser=True)


@dataclass(frozen=True)
class InactivePlan(Fault):
    """New accounts with the default plan can do nothing."""

    def look(self, ports: Ports) -> UndoData:
        """Return the initial status of the default plans."""
        return {"plans": list(ports.lab.rows("plan", {"is_default": True}, ["id", "initial_subscription_status"]))}

    def make(self, ports: Ports, known: UndoData) -> None:
        """Set the initial status to draft."""
        ports.lab.change(
            "plan", {"id": [row["id"] for row in known["plans"]]}, initial_subscription_status="inactive_draft"
        )

    def undo(self, ports: Ports, known: UndoData) -> None:
        """Restore the initial status."""
        for row in known["plans"]:
            status = row["initial_subscription_status"]
            ports.lab.change("plan", {"id": row["id"]}, initial_subscription_status=status)


ONLINE = {"layers_by_id": {"trees_1": {"name": "trees", "provider_name": "postgres", "is_valid": True}}}
SMALL = {"storage_mb": PLAN_BYTES // 10**6}
ACCOUNTS: tuple[Fault, ...] = (
    InactiveSubscription("subscription-inactive", "The subscription of an account is inactive", ("H01",)),
    InactivePlan("plan-begins-inactive", "New accounts start inactive", ("H01-plan",)),
    PlanFault("quota-used-up", "The storage quota of an account is used up", ("H03",), values=SMALL,
              used=PLAN_BYTES + 10**6),
    PlanFault("quota-nearly-used-up", "The storage quota of an account is nearly used up", ("H03-soon",), values=SMALL,
              used=PLAN_BYTES * 96 // 100),
    PlanFault("external-databases-not-allowed", "A plan does not allow a project's external database", ("H02",),
              values={"is_external_db_supported": False}, details=ONLINE),
    Organizations("organization-full", "An organization has reached its limit of members", ("H05",), most=1),
    Organizations("organization-owner-inactive", "The owner of an organization is inactive", ("owner-inactive",),
                  inactive=True),
    NoSuperuser("superuser-missing", "The server has no superuser", ("A13-superuser",)),
    LockedOut("account-locked-out", "An account is locked out after wrong passwords", ("G09",)),
)  # fmt: skip
