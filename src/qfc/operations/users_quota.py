"""The storage quota of an account: read it, set it; and the problems with its plan."""

from __future__ import annotations

import re
from dataclasses import dataclass

from ..errors import RefusedError, UsageError
from ..stack.model import Plan, Subscription
from ..stack.ports import Ports
from .guard import Options, guarded
from .users_list import find

UNITS = {"": 1, "B": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12}
_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([kKMGT]?B?)")


@dataclass(frozen=True)
class Quota:
    """An account's storage and quota, in bytes. `used` is a share of 1; None without a limit.

    `problems` say why the account cannot be used, or soon cannot.
    """

    username: str
    storage_used_bytes: int
    storage_quota_bytes: int | None
    used: float | None
    subscription: Subscription | None
    problems: tuple[str, ...]


@dataclass(frozen=True)
class QuotaChanged:
    """A changed quota. `before` and `after` are bytes; the server may add storage only in whole units."""

    username: str
    before: int | None
    after: int | None
    plan: str | None
    dry_run: bool
    steps: tuple[str, ...]


def users_quota(ports: Ports, username: str) -> Quota:
    """Return how much of its quota an account uses, and the problems with its plan. Raises NotFoundError."""
    user = find(ports, username)
    quota = user.storage_quota_bytes
    used = round(user.storage_used_bytes / quota, 4) if quota else None
    subscription = ports.directory.subscription(user.username)
    problems = plan_problems(subscription, used)
    return Quota(user.username, user.storage_used_bytes, quota, used, subscription, problems)


def plan_problems(subscription: Subscription | None, used: float | None = None) -> tuple[str, ...]:
    """Return why an account cannot be used, or soon cannot. Ids are those of the catalogue of known problems."""
    found: list[str] = []
    if subscription is not None and not subscription.is_active:
        found.append(
            f"H01: the subscription is {subscription.status}, so the server refuses everything. Set a plan: --plan CODE"
        )
    if subscription is not None and subscription.has_external_databases is False:
        found.append(f"H02: the plan {subscription.plan} does not allow layers in external databases.")
    if used is not None and used >= 1:
        found.append("H03: the storage is full; the server refuses uploads except from devices. Set more: --set SIZE")
    elif used is not None and used >= 0.9:
        found.append(f"H03: {used:.0%} of the storage is used.")
    return tuple(found)


def users_plans(ports: Ports) -> tuple[Plan, ...]:
    """Return the server's plans."""
    return ports.directory.plans()


def users_set_quota(
    ports: Ports, username: str, options: Options, *, size: str | None = None, plan: str | None = None
) -> QuotaChanged:
    """Give an account another plan, or more storage: what the plan lacks is added to the subscription."""
    user = find(ports, username)
    wanted = None if size is None else parse_size(size)
    subscription = ports.directory.subscription(user.username)
    _require_possible(user.username, subscription, wanted, plan, ports.directory.plans())
    target = f"{user.username}: {' '.join(part for part in (plan, size) if part)}"
    with guarded(ports, "users quota", target=target, options=options) as guard:
        if plan is not None and guard.step(f"Give {user.username} the plan {plan}"):
            ports.directory.set_plan(user.username, plan)
        if wanted is not None and guard.step(f"Set the quota of {user.username} to {wanted / 1e6:.0f} MB"):
            current = ports.directory.subscription(user.username)
            assert current is not None
            ports.directory.set_added_storage(user.username, max(wanted - current.plan_bytes, 0))
        after = find(ports, username).storage_quota_bytes
        guard.result = f"{user.storage_quota_bytes} → {after} bytes"
    return QuotaChanged(user.username, user.storage_quota_bytes, after, plan, guard.dry_run, guard.steps)


def _require_possible(
    username: str, subscription: Subscription | None, wanted: int | None, plan: str | None, plans: tuple[Plan, ...]
) -> None:
    if subscription is None:
        raise RefusedError(
            f"{username} has no subscription on this server.", hint="Create one in the admin (Subscriptions)."
        )
    if plan is not None and plan not in {one.code for one in plans}:
        known = ", ".join(one.code for one in plans)
        raise UsageError(f"There is no plan {plan}.", hint=f"Plans: {known}")
    included = next((one.storage_bytes for one in plans if one.code == plan), subscription.plan_bytes)
    if wanted is not None and wanted < included:
        smaller = [one.code for one in plans if one.storage_bytes <= wanted]
        raise RefusedError(
            f"The plan {plan or subscription.plan} already includes {included / 1e6:.0f} MB; less needs another plan.",
            hint=f"Plans with less: {', '.join(smaller) or 'none; create one in the admin'}",
        )


def parse_size(text: str) -> int:
    """Read a size: 500MB, 20 GB, 1.5TB. Raises UsageError."""
    found = _SIZE.fullmatch(text.strip())
    unit = found[2].upper() if found else ""
    unit = unit if unit in UNITS else f"{unit}B"
    if not found or unit not in UNITS:
        raise UsageError(f"{text!r} is not a size.", hint="Write for example 500MB, 20GB or 1.5TB.")
    return round(float(found[1]) * UNITS[unit])
