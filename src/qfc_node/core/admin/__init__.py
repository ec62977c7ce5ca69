"""The Django admin: shows every table; rows that the queue or the files depend on are changed by actions only."""

from __future__ import annotations

from . import accounts, plans, projects, queue

__all__ = ["accounts", "plans", "projects", "queue"]
