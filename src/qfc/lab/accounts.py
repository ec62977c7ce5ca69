"""People, their plans and quotas."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ..stack.ports import Ports
from .base import Fault, RowFault, Scene, UndoData

PLAN_BYTES = 10**7
#: So often the application lets somebody type a wrong password, and more.
TRIES = 20


@dataclass(frozen=True)
class PlanFault(RowFault):
    """An account whose plan has other `values`, and a project that takes `used` bytes. `details` are the project's."""

    values: Mapping[str, object] = field(default_factory=dict[str, object])
    used: int = 0
    details: Mapping[str, object] = field(default_factory=dict[str, object])

    def make(self, ports: Ports, known: UndoData) -> None:
        """Make plan, account and project."""
        del known
        ports.lab.plan(self.account, **self.values)
        ports.lab.account(self.account, plan=self.account)
        self.fill(Scene(ports.lab, self.account, ports.clock.now()))

    def undo(self, ports: Ports, known: UndoData) -> None:
        """Remove all of it."""
        RowFault.undo(self, ports, known)
        ports.lab.delete("plan", {"code": self.account})

    def fill(self, scene: Scene) -> None:
        """Make the project."""
        scene.project(file_storage_bytes=self.used, project_details=dict(self.details))


@dataclass(frozen=True)
class InactiveSubscription(RowFault):
    """An account with a project whose subscription is a draft."""

    def fill(self, scene: Scene) -> None:
        """Make the project, and change the subscription."""
        scene.project()
        (user,) = scene.rows.rows("user", {"username": scene.account}, ["id"])
        scene.rows.change("subscription", {"account_id": user["id"]}, status="inactive_draft")


@dataclass(frozen=True)
class LockedOut(RowFault):
    """Somebody typed a wrong password too often."""

    def fill(self, scene: Scene) -> None:
        """Make what the application remembers of that."""
        scene.rows.insert("attempt", username=scene.account, ip_address="203.0.113.7", user_agent="qfc lab",
                          http_accept="", path_info="/api/v1/auth/login/", get_data="", post_data="",
                          attempt_time=scene.before(1), failures_since_start=TRIES)  # fmt: skip

    def undo(self, ports: Ports, known: UndoData) -> None:
        """Forget the tries too."""
        ports.lab.delete("attempt", {"username": self.account})
        RowFault.undo(self, ports, known)


@dataclass(frozen=True)
class Organizations(RowFault):
    """An organization that may have `most` members (none: any number), and whose owner may not log in if `inactive`."""

    most: int | None = None
    inactive: bool = False

    def look(self, ports: Ports) -> UndoData:
        """Remember how many members organizations may have."""
        return {"plans": list(ports.lab.rows("plan", self._plans, ["id", "max_organization_members"]))}

    def fill(self, scene: Scene) -> None:
        """Make it with a member and a project."""
        organization, member = f"{scene.account}-org", f"{scene.account}-member"
        scene.rows.account(member)
        scene.rows.organization(organization, owner=scene.account, members=[member])
        scene.rows.project(organization, "survey", made_at=scene.before(60))
        if self.most is not None:
            scene.rows.change("plan", self._plans, max_organization_members=self.most)
        if self.inactive:
            scene.rows.change("user", {"username": scene.account}, is_active=False)

    def undo(self, ports: Ports, known: UndoData) -> None:
        """Remove organization and people, and let the plan be as it was."""
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
    """Nobody is a superuser."""

    def look(self, ports: Ports) -> UndoData:
        """Remember who is."""
        return {"users": [row["id"] for row in ports.lab.rows("user", {"is_superuser": True}, ["id"])]}

    def make(self, ports: Ports, known: UndoData) -> None:
        """Take the right from everybody."""
        ports.lab.change("user", {"id": known["users"]}, is_superuser=False)

    def undo(self, ports: Ports, known: UndoData) -> None:
        """Give it back."""
        ports.lab.change("user", {"id": known["users"]}, is_superuser=True)


@dataclass(frozen=True)
class InactivePlan(Fault):
    """Who gets the default plan from now on may do nothing."""

    def look(self, ports: Ports) -> UndoData:
        """Remember what the default plans begin with."""
        return {"plans": list(ports.lab.rows("plan", {"is_default": True}, ["id", "initial_subscription_status"]))}

    def make(self, ports: Ports, known: UndoData) -> None:
        """Let them begin as drafts."""
        ports.lab.change(
            "plan", {"id": [row["id"] for row in known["plans"]]}, initial_subscription_status="inactive_draft"
        )

    def undo(self, ports: Ports, known: UndoData) -> None:
        """Let them begin as before."""
        for row in known["plans"]:
            status = row["initial_subscription_status"]
            ports.lab.change("plan", {"id": row["id"]}, initial_subscription_status=status)


ONLINE = {"layers_by_id": {"trees_1": {"name": "trees", "provider_name": "postgres", "is_valid": True}}}
SMALL = {"storage_mb": PLAN_BYTES // 10**6}
ACCOUNTS: tuple[Fault, ...] = (
    InactiveSubscription("subscription-inactive", "The subscription of an account is inactive", ("H01",)),
    InactivePlan("plan-begins-inactive", "The default plan lets new accounts do nothing", ("H01-plan",)),
    PlanFault("quota-used-up", "The storage quota of an account is used up", ("H03",), values=SMALL,
              used=PLAN_BYTES + 10**6),
    PlanFault("quota-nearly-used-up", "The storage quota of an account is nearly used up", ("H03-soon",), values=SMALL,
              used=PLAN_BYTES * 96 // 100),
    PlanFault("external-databases-not-allowed", "A plan does not allow the external database of a project", ("H02",),
              values={"is_external_db_supported": False}, details=ONLINE),
    Organizations("organization-full", "An organization has as many members as it may", ("H05",), most=1),
    Organizations("organization-owner-inactive", "The owner of an organization may not log in", ("owner-inactive",),
                  inactive=True),
    NoSuperuser("superuser-missing", "Nobody is a superuser", ("A13-superuser",)),
    LockedOut("account-locked-out", "An account is locked out after wrong passwords", ("G09",)),
)  # fmt: skip
