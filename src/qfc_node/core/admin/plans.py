"""Plans, subscriptions and the packages added to them."""

from __future__ import annotations

from django.contrib import admin

from ..models import Package, PackageType, Plan, Subscription
from .base import NodeAdmin, Table


class PackageInline(Table[Package]):
    """Packages that are added to a subscription."""

    model = Package
    extra = 0


@admin.register(Plan)
class PlanAdmin(NodeAdmin[Plan]):
    """Plans: the limits of accounts. -1 means no limit."""

    list_display = (
        "code",
        "display_name",
        "user_type",
        "is_default",
        "storage_mb",
        "storage_keep_versions",
        "is_external_db_supported",
        "initial_subscription_status",
    )
    list_filter = ("user_type", "is_default", "is_premium")
    search_fields = ("code", "display_name")
    ordering = ("ordering",)


@admin.register(Subscription)
class SubscriptionAdmin(NodeAdmin[Subscription]):
    """Subscriptions: the plan of an account, and its start and end."""

    list_display = ("account", "plan", "status", "active_since", "active_until")
    list_filter = ("status", "plan")
    search_fields = ("account__user__username",)
    raw_id_fields = ("account", "created_by")
    readonly_fields = ("uuid",)
    list_select_related = ("account__user", "plan")
    inlines = (PackageInline,)


@admin.register(PackageType)
class PackageTypeAdmin(NodeAdmin[PackageType]):
    """Kinds of packages that can be added to a subscription."""

    list_display = ("code", "display_name", "type", "unit_amount", "unit_label", "is_public")
    search_fields = ("code", "display_name")
