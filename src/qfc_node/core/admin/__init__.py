"""The Django admin: everything can be looked up; what could break the queue or the files is changed by actions only."""

from __future__ import annotations

from . import accounts, plans, projects, queue

__all__ = ["accounts", "plans", "projects", "queue"]
