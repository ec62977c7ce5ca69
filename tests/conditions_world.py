"""Troubles made in a stack's rows, the same in the twin and in a real database of any release."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

from queue_world import DatabaseWorld, MemoryWorld, World, before
from twins import StoredFile

HASH = bytes(32)


def keeps_files(world: World) -> bool:
    """Tell whether the database of this world knows names of files."""
    return isinstance(world, MemoryWorld) or "filestorage_file" in world.columns


def store(world: World, project: str, name: str, *sizes: int, made: float = 60) -> None:
    """Store versions of a file, the oldest first, as the last of what an upload does: nobody counts them."""
    if isinstance(world, MemoryWorld):
        world.conditions.stored.append(StoredFile(project, name, sizes, before(made)))
    elif isinstance(world, DatabaseWorld):
        _insert_file(world, project, name, sizes, made)


def _insert_file(world: DatabaseWorld, project: str, name: str, sizes: tuple[int, ...], made: float) -> None:
    world.insert("filestorage_file", project_id=project, name=name, file_type=1, created_at=before(made))
    of = {"project": project, "name": name}
    found = "select id from filestorage_file where project_id = %(project)s and name = %(name)s"
    file = world.execute(found, of)[0][0]
    for size in sizes:
        version = str(uuid4())
        world.insert("filestorage_fileversion", id=version, file_id=file, content="key", md5sum=HASH[:16],
                     sha256sum=HASH, size=size, uploaded_at=before(made), created_at=before(made))  # fmt: skip
        world.execute(
            "update filestorage_file set latest_version_id = %(version)s where id = %(file)s",
            {"version": version, "file": file},
        )


def count_bytes(world: World, project: str, count: int) -> None:
    """Let a project say that its files take so many bytes."""
    if isinstance(world, MemoryWorld):
        rows = world.directory.project_rows
        rows[project] = replace(rows[project], size_bytes=count)
    elif isinstance(world, DatabaseWorld):
        statement = f"update {world.project_table} set file_storage_bytes = %(count)s where id = %(id)s"
        world.execute(statement, {"count": count, "id": project})


def announce(world: World, delta: str, **files: str | None) -> None:
    """Let an edit announce files, by their names, with their checksums."""
    content = {"method": "create", "sourceLayerId": "trees_1", "new": {"attributes": {}, "files_sha256": files}}
    if isinstance(world, MemoryWorld):
        world.store.delta_rows[delta] = replace(world.store.delta_rows[delta], content=content)
    elif isinstance(world, DatabaseWorld):
        world.execute(
            "update core_delta set content = %(content)s where id = %(id)s",
            {"content": json.dumps(content), "id": delta},
        )


def superuser(world: World, name: str) -> None:
    """Let a person do everything."""
    if isinstance(world, MemoryWorld):
        world.conditions.superuser_names.add(name)
    elif isinstance(world, DatabaseWorld):
        world.execute("update core_user set is_superuser = true where username = %(name)s", {"name": name})


def wrong_password(world: World, name: str, times: int, *, ago: timedelta) -> bool:
    """Let somebody type a wrong password; tell whether this server keeps that."""
    moment = before(ago.total_seconds() / 60)
    if isinstance(world, MemoryWorld):
        assert world.conditions.attempts is not None
        world.conditions.attempts += [(name, moment)] * times
    elif isinstance(world, DatabaseWorld):
        if "axes_accessattempt" not in world.columns:
            return False
        world.insert("axes_accessattempt", username=name, attempt_time=moment, failures_since_start=times,
                     user_agent="", ip_address="192.0.2.1", http_accept="", path_info="", get_data="",
                     post_data="")  # fmt: skip
    return True
