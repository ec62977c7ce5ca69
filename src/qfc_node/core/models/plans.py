"""Plans and subscriptions: the limits of accounts. Without billing, every account has the default plan."""

from __future__ import annotations

import uuid

from django.db import models
from django.db.models.functions import Now

from .accounts import User, UserAccount, UserType


class SubscriptionStatus(models.TextChoices):
    """Values of `subscription_subscription.status`."""

    INACTIVE_DRAFT = "inactive_draft"
    INACTIVE_REQUESTED_CREATE = "inactive_requested_create"
    INACTIVE_CANCELLED = "inactive_cancelled"
    INACTIVE_PAST_DUE = "inactive_past_due"
    ACTIVE_PAST_DUE = "active_past_due"
    ACTIVE_PAID = "active_paid"


#: The statuses in which an account may do everything that its plan allows.
ACTIVE_STATUSES = (SubscriptionStatus.ACTIVE_PAID, SubscriptionStatus.ACTIVE_PAST_DUE)


class Plan(models.Model):
    """Limits of an account. -1 means no limit; sizes in megabytes (10^6 bytes), times in minutes."""

    code = models.CharField(max_length=100, unique=True)
    user_type = models.SmallIntegerField(choices=UserType.choices, default=UserType.PERSON)
    ordering = models.PositiveIntegerField(default=0)
    display_name = models.CharField(max_length=100)
    storage_mb = models.PositiveIntegerField(default=10_000)
    storage_keep_versions = models.PositiveIntegerField(default=10)
    job_minutes = models.PositiveIntegerField(default=10_000)
    can_add_storage = models.BooleanField(default=False)
    can_add_job_minutes = models.BooleanField(default=False)
    is_external_db_supported = models.BooleanField(default=True)
    can_configure_repackaging_cache_expire = models.BooleanField(default=False)
    min_repackaging_cache_expire = models.DurationField()
    synchronizations_per_months = models.PositiveIntegerField(default=30)
    is_public = models.BooleanField(default=True)
    is_default = models.BooleanField(default=False)
    is_premium = models.BooleanField(default=False)
    max_organization_members = models.IntegerField(default=-1)
    max_premium_collaborators_per_private_project = models.IntegerField(default=-1)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)
    is_trial = models.BooleanField(default=False)
    max_trial_organizations = models.IntegerField(default=1)
    initial_subscription_status = models.CharField(
        max_length=100, choices=SubscriptionStatus.choices, default=SubscriptionStatus.ACTIVE_PAID
    )
    is_metered = models.BooleanField(default=False)
    is_cancellable = models.BooleanField(default=True)
    is_storage_modifiable = models.BooleanField(default=True)
    upgradable_to = models.CharField(max_length=1000, null=True, blank=True)
    notes = models.TextField(null=True, blank=True)

    class Meta:
        db_table = "subscription_plan"
        constraints = [
            models.UniqueConstraint(
                "user_type", condition=models.Q(is_default=True), name="subscription_plan_one_default"
            ),
        ]

    def __str__(self) -> str:
        return self.display_name or self.code


class Subscription(models.Model):
    """An account's plan between two times. The newest one that is active now counts."""

    uuid = models.UUIDField(default=uuid.uuid4, unique=True)
    account = models.ForeignKey(UserAccount, models.CASCADE, related_name="subscriptions")
    account_id: int
    plan = models.ForeignKey(Plan, models.PROTECT, related_name="subscriptions")
    plan_id: int
    status = models.CharField(
        max_length=100, choices=SubscriptionStatus.choices, default=SubscriptionStatus.ACTIVE_PAID
    )
    active_since = models.DateTimeField(null=True, blank=True)
    active_until = models.DateTimeField(null=True, blank=True)
    billing_cycle_anchor_at = models.DateTimeField(null=True, blank=True)
    current_period_since = models.DateTimeField(null=True, blank=True)
    current_period_until = models.DateTimeField(null=True, blank=True)
    requested_cancel_at = models.DateTimeField(null=True, blank=True)
    created_by = models.ForeignKey(User, models.CASCADE, related_name="created_subscriptions")
    created_by_id: int
    created_at = models.DateTimeField(auto_now_add=True, db_default=Now())
    updated_at = models.DateTimeField(auto_now=True, db_default=Now())
    notes = models.TextField(null=True, blank=True)

    class Meta:
        db_table = "subscription_subscription"

    def __str__(self) -> str:
        return f"{self.account}: {self.plan}"


class PackageType(models.Model):
    """Something that can be added to a plan, for example storage."""

    code = models.CharField(max_length=100, unique=True)
    display_name = models.CharField(max_length=100)
    is_public = models.BooleanField(default=False)
    max_quantity = models.PositiveIntegerField(default=100)
    min_quantity = models.PositiveIntegerField(default=0)
    type = models.CharField(max_length=100, unique=True, default="storage")
    unit_amount = models.PositiveIntegerField(default=0)
    unit_label = models.CharField(max_length=100, null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)
    notes = models.TextField(null=True, blank=True)

    class Meta:
        db_table = "subscription_packagetype"

    def __str__(self) -> str:
        return self.display_name or self.code


class Package(models.Model):
    """Additional storage of a subscription: `quantity` times `type.unit_amount` megabytes."""

    active_since = models.DateTimeField()
    active_until = models.DateTimeField(null=True, blank=True)
    quantity = models.PositiveIntegerField()
    type = models.ForeignKey(PackageType, models.PROTECT, related_name="packages")
    type_id: int
    subscription = models.ForeignKey(Subscription, models.CASCADE, related_name="packages")
    subscription_id: int
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)
    notes = models.TextField(null=True, blank=True)

    class Meta:
        db_table = "subscription_package"

    def __str__(self) -> str:
        return f"{self.quantity} × {self.type}"
