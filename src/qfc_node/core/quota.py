"""Storage and limits of accounts. Uploads from devices are always accepted: field data is never refused."""

from __future__ import annotations

import enum
from dataclasses import dataclass

from django.db.models import F, Q, Sum
from django.utils import timezone

from .models import ClientType, JobType, Package, Project, ProjectCollaborator, Subscription, User
from .models.plans import ACTIVE_STATUSES

MEGABYTE = 10**6
#: Clients that no quota stops.
DEVICES = frozenset({ClientType.QFIELD, ClientType.WORKER})
WARNING_FREE_BYTES = 1000 * MEGABYTE
CRITICAL_FREE_BYTES = 100 * MEGABYTE


class Refusal(enum.Enum):
    """Why an account may not do something."""

    ACCOUNT = "account deactivated"
    INACTIVE = "inactive"
    OVER_QUOTA = "over quota"
    PLAN = "plan insufficient"


@dataclass(frozen=True)
class Storage:
    """Bytes of all versions of all files of an account's projects, and the most that are allowed."""

    used: int
    allowed: int

    @property
    def free(self) -> int:
        """Bytes left; negative if the account uses more than is allowed."""
        return self.allowed - self.used


def current_subscription(account_id: int) -> Subscription | None:
    """Return the newest subscription that covers this moment, whatever its status."""
    now = timezone.now()
    return (
        Subscription.objects.select_related("plan")
        .filter(Q(active_since=None) | Q(active_since__lte=now), account_id=account_id)
        .filter(Q(active_until=None) | Q(active_until__gt=now))
        .order_by("-active_since", "-pk")
        .first()
    )


def is_active(subscription: Subscription | None) -> bool:
    """Whether the subscription is active, so that the account may do what its plan allows."""
    return subscription is not None and subscription.status in ACTIVE_STATUSES


def used_bytes(account_id: int) -> int:
    """Return the bytes of all versions of all files of the account's projects."""
    total: int | None = Project.objects.filter(owner_id=account_id).aggregate(n=Sum("file_storage_bytes"))["n"]
    return total or 0


def allowed_bytes(subscription: Subscription) -> int:
    """Return the bytes of the plan and of the packages added to it."""
    now = timezone.now()
    packages = Package.objects.filter(Q(active_until=None) | Q(active_until__gt=now), active_since__lte=now)
    storage = packages.filter(subscription=subscription, type__type="storage")
    added: int | None = storage.aggregate(n=Sum(F("quantity") * F("type__unit_amount")))["n"]
    return (subscription.plan.storage_mb + (added or 0)) * MEGABYTE


def storage_of(account_id: int, subscription: Subscription) -> Storage:
    """Return the used and allowed storage of the account."""
    return Storage(used_bytes(account_id), allowed_bytes(subscription))


@dataclass(frozen=True)
class Allowance:
    """What an owner may still upload: `free` bytes, None without a limit; with a `refusal` nothing."""

    free: int | None = None
    refusal: Refusal | None = None

    def refuses(self, incoming_bytes: int) -> Refusal | None:
        """Return why a file of this size may not be stored; None if it may."""
        if self.refusal is not None or self.free is None or incoming_bytes <= self.free:
            return self.refusal
        return Refusal.OVER_QUOTA


def upload_allowance(owner: User, client_type: str) -> Allowance:
    """Return what the owner may still upload through a client of that type."""
    if client_type in DEVICES:
        return Allowance()
    if not owner.is_active:
        return Allowance(refusal=Refusal.ACCOUNT)
    subscription = current_subscription(owner.pk)
    if subscription is None or not is_active(subscription):
        return Allowance(refusal=Refusal.INACTIVE)
    return Allowance(storage_of(owner.pk, subscription).free)


def refuses_job(project: Project, job_type: str) -> Refusal | None:
    """Return why a job may not be started for the project; None if it may. Only packages need free storage."""
    if not project.owner.is_active:
        return Refusal.ACCOUNT
    subscription = current_subscription(project.owner_id)
    if subscription is None or not is_active(subscription):
        return Refusal.INACTIVE
    if job_type == JobType.PACKAGE and storage_of(project.owner_id, subscription).free < 0:
        return Refusal.OVER_QUOTA
    if project.has_online_vector_data and not subscription.plan.is_external_db_supported:
        return Refusal.PLAN
    return Refusal.PLAN if _has_too_many_collaborators(project, subscription) else None


def refuses_collaborator(project: Project) -> Refusal | None:
    """Return why the project may not have another collaborator; None if it may."""
    subscription = current_subscription(project.owner_id)
    if subscription is None or not is_active(subscription):
        return Refusal.INACTIVE
    return Refusal.PLAN if _has_too_many_collaborators(project, subscription, one_more=True) else None


def _has_too_many_collaborators(project: Project, subscription: Subscription, *, one_more: bool = False) -> bool:
    limit = subscription.plan.max_premium_collaborators_per_private_project
    if limit < 0 or project.is_public:
        return False
    return ProjectCollaborator.objects.filter(project=project).count() + int(one_more) > limit
