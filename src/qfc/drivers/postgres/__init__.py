"""A stack's PostgreSQL database: its queue, its users and projects, and the problems that its rows show."""

from __future__ import annotations

from .conditions import PostgresConditions
from .connection import Connect, Database, connect_to
from .directory import PostgresDirectory
from .job_store import PostgresJobStore

__all__ = ["Connect", "Database", "PostgresConditions", "PostgresDirectory", "PostgresJobStore", "connect_to"]
