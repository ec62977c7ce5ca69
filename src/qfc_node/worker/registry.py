"""The registry of living workers.

A worker has a row in `node_worker` and holds a session advisory lock as long as its database connection lives. The
database releases the lock the moment the process dies, whatever kills it. So a worker's death is proven, not guessed
from missing heartbeats.
"""

from __future__ import annotations

import os
import secrets
import socket
import time
import uuid
from collections.abc import Mapping, Sequence

from django.conf import settings
from django.db import connection

from ..core.models import Worker

#: First of the two keys of every worker's advisory lock; the second is `node_worker.lock_key`.
LOCK_CLASS = 0x51464357
CHANNEL = "qfc_jobs"
#: Seconds that workers have to reconnect after an outage of the database before they are considered dead.
GRACE_S = 5.0

HELD = """
    exists (
        select 1 from pg_locks l
        where l.locktype = 'advisory' and l.granted and l.classid = %(lock_class)s
          and l.objid = w.lock_key and l.objsubid = 2
          and l.database = (select oid from pg_database where datname = current_database())
    )
"""


class Registration:
    """This process as a worker: its identity, and its presence on the current database connection."""

    def __init__(self) -> None:
        self.id = uuid.uuid4()
        self._lock_key = 0
        self._connection: object = None
        self._came_back_at = float("-inf")
        self._layers: list[Mapping[str, str]] | None = None

    def ensure(self) -> None:
        """Register this worker; on a new database connection, take the lock, write the row and subscribe again."""
        connection.ensure_connection()
        if self._connection is connection.connection:
            return
        if self._connection is not None:
            self._came_back_at = time.monotonic()
        # A new key each time: a server that has not noticed the end of our last connection still holds the old lock.
        self._lock_key = secrets.randbelow(2**31 - 1)
        with connection.cursor() as cursor:
            cursor.execute("select pg_advisory_lock(%s, %s)", [LOCK_CLASS, self._lock_key])
            cursor.execute(f"listen {CHANNEL}")
            # If a crash of the database loses a claim or heartbeat, it is repeated; only results wait for the disk.
            cursor.execute("set synchronous_commit = off")
        self._write_row()
        self._connection = connection.connection

    @property
    def is_settled(self) -> bool:
        """Whether other workers may be declared dead: if this one lost its connection, they may have lost theirs."""
        return time.monotonic() - self._came_back_at > GRACE_S

    def _write_row(self) -> None:
        Worker.objects.update_or_create(
            pk=self.id,
            defaults={
                "lock_key": self._lock_key,
                "host": socket.gethostname(),
                "pid": os.getpid(),
                "release": settings.RELEASE,
                "layers": self._layers,
            },
        )

    def beat(self, state: str) -> None:
        """Record that this worker is alive, and whether it is idle, busy or draining."""
        with connection.cursor() as cursor:
            cursor.execute(
                "update node_worker set heartbeat_at = clock_timestamp(), state = %s where id = %s", [state, self.id]
            )
            is_known = cursor.rowcount > 0
        if not is_known:
            self._write_row()  # somebody deleted the row; without it our jobs would be requeued

    def note_layers(self, layers: Sequence[Mapping[str, str]]) -> None:
        """Record what holds this worker's jobs, for those who look after the server."""
        self._layers = list(layers)
        Worker.objects.filter(pk=self.id).update(layers=self._layers)

    def leave(self) -> None:
        """Remove the row; closing the connection releases the lock."""
        Worker.objects.filter(pk=self.id).delete()
        connection.close()


def forget_dead_workers() -> int:
    """Remove the rows of workers that no longer hold their lock; return the number of rows."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            delete from node_worker w
            where not {HELD} and w.heartbeat_at < clock_timestamp() - interval '1 minute'
              and not exists (select 1 from core_job j where j.container_id = w.id::text
                              and j.status in ('queued', 'started'))
            """,
            {"lock_class": LOCK_CLASS},
        )
        return cursor.rowcount
