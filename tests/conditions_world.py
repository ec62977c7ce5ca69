"""Create problems in the rows of a database of any release."""

from __future__ import annotations

import json
from datetime import timedelta

from qfc.drivers.postgres.lab_rows import make_file
from queue_world import DatabaseWorld, before


def keeps_files(world: DatabaseWorld) -> bool:
    """Return whether the database of this world stores names of files."""
    return world.has_table("file")


def store(world: DatabaseWorld, project: str, name: str, *sizes: int, made: float = 60, by: str | None = None) -> None:
    """Store versions of a file, the oldest first, like an upload, but without counting their bytes."""
    make_file(world.tables, project, name, *sizes, made_at=before(made))
    if by is not None:
        (file,) = world.tables.ids("file", project_id=project, name=name)
        uploaded = {"file_id": file, "uploaded_at": before(made)}
        world.tables.change("file_version", uploaded, uploaded_by_id=world.user_id(by))


def bare_project(world: DatabaseWorld, name: str) -> str:
    """Make a project without any file; in some releases, every healthy one has the row of its project file."""
    project = world.project(name)
    if world.has_column("project", "the_qgis_file_id"):
        world.tables.change("project", {"id": project}, the_qgis_file_id=None)
        world.tables.delete("file", {"project_id": project})
    return project


def count_bytes(world: DatabaseWorld, project: str, count: int) -> None:
    """Set the number of bytes that a project reports for its files."""
    world.tables.change("project", {"id": project}, file_storage_bytes=count)


def announce(world: DatabaseWorld, delta: str, **files: str | None) -> None:
    """Store an edit that announces files by name and checksum."""
    content = {"method": "create", "sourceLayerId": "trees_1", "new": {"attributes": {}, "files_sha256": files}}
    world.tables.change("delta", {"id": delta}, content=json.dumps(content))


def superuser(world: DatabaseWorld, name: str) -> None:
    """Give a user all permissions."""
    world.tables.change("user", {"username": name}, is_superuser=True)


def wrong_password(world: DatabaseWorld, name: str, times: int, *, ago: timedelta) -> bool:
    """Record a wrong password; return whether this server stores such records."""
    if not world.has_table("attempt"):
        return False
    world.insert("attempt", username=name, attempt_time=before(ago.total_seconds() / 60), failures_since_start=times,
                 user_agent="", ip_address="192.0.2.1", http_accept="", path_info="", get_data="",
                 post_data="")  # fmt: skip
    return True
