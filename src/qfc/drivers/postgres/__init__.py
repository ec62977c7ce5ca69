"""A stack's PostgreSQL database: its queue, its people and its projects."""

from __future__ import annotations

from .connection import Connect, Database, connect_to
from .directory import PostgresDirectory
from .job_store import PostgresJobStore

__all__ = ["Connect", "Database", "PostgresDirectory", "PostgresJobStore", "connect_to"]
