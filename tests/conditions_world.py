"""Troubles made in the rows of a database of any release."""

from __future__ import annotations

import json
from datetime import timedelta

from qfc.drivers.postgres.lab_rows import make_file
from queue_world import DatabaseWorld, before


def keeps_files(world: DatabaseWorld) -> bool:
    """Tell whether the database of this world knows names of files."""
    return world.has_table("file")


def store(world: DatabaseWorld, project: str, name: str, *sizes: int, made: float = 60) -> None:
    """Store versions of a file, the oldest first, as the last of what an upload does: nobody counts them."""
    make_file(world.tables, project, name, *sizes, made_at=before(made))


def count_bytes(world: DatabaseWorld, project: str, count: int) -> None:
    """Let a project say that its files take so many bytes."""
    world.tables.change("project", {"id": project}, file_storage_bytes=count)


def announce(world: DatabaseWorld, delta: str, **files: str | None) -> None:
    """Let an edit announce files, by their names, with their checksums."""
    content = {"method": "create", "sourceLayerId": "trees_1", "new": {"attributes": {}, "files_sha256": files}}
    world.tables.change("delta", {"id": delta}, content=json.dumps(content))


def superuser(world: DatabaseWorld, name: str) -> None:
    """Let a person do everything."""
    world.tables.change("user", {"username": name}, is_superuser=True)


def wrong_password(world: DatabaseWorld, name: str, times: int, *, ago: timedelta) -> bool:
    """Let somebody type a wrong password; tell whether this server keeps that."""
    if not world.has_table("attempt"):
        return False
    world.insert("attempt", username=name, attempt_time=before(ago.total_seconds() / 60), failures_since_start=times,
                 user_agent="", ip_address="192.0.2.1", http_accept="", path_info="", get_data="",
                 post_data="")  # fmt: skip
    return True
