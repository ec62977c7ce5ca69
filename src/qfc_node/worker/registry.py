"""Who the living workers are.

A worker has a row in `node_worker` and holds a session advisory lock as long as its database connection lives. The
lock goes the moment the process dies, whatever kills it, so that death is proven and not guessed from silence.
"""

from __future__ import annotations

import os
import secrets
import socket
import time
import uuid

from django.conf import settings
from django.db import connection

from ..core.models import Worker

#: First of the two keys of every worker's advisory lock; the second is `node_worker.lock_key`.
LOCK_CLASS = 0x51464357
CHANNEL = "qfc_jobs"
#: Seconds that workers are given to come back after the database went away, before anybody is held to be dead.
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

    def ensure(self) -> None:
        """Be present: after a new database connection the lock, the row and the subscription are made anew."""
        connection.ensure_connection()
        if self._connection is connection.connection:
            return
        if self._connection is not None:
            self._came_back_at = time.monotonic()
        # A new key each time: a server that has not noticed that our last connection broke keeps the old lock.
        self._lock_key = secrets.randbelow(2**31 - 1)
        with connection.cursor() as cursor:
            cursor.execute("select pg_advisory_lock(%s, %s)", [LOCK_CLASS, self._lock_key])
            cursor.execute(f"listen {CHANNEL}")
            # A claim or a heartbeat that a crash of the database forgets is made anew; results are waited for.
            cursor.execute("set synchronous_commit = off")
        self._write_row()
        self._connection = connection.connection

    @property
    def is_settled(self) -> bool:
        """Whether others may be judged: where this worker has just lost its connection, they may have lost theirs."""
        return time.monotonic() - self._came_back_at > GRACE_S

    def _write_row(self) -> None:
        Worker.objects.update_or_create(
            pk=self.id,
            defaults={
                "lock_key": self._lock_key,
                "host": socket.gethostname(),
                "pid": os.getpid(),
                "release": settings.RELEASE,
            },
        )

    def beat(self, state: str) -> None:
        """Say that this worker lives, and whether it is idle, busy or draining."""
        with connection.cursor() as cursor:
            cursor.execute(
                "update node_worker set heartbeat_at = clock_timestamp(), state = %s where id = %s", [state, self.id]
            )
            is_known = cursor.rowcount > 0
        if not is_known:
            self._write_row()  # somebody tidied up; without the row our jobs would be taken from us

    def leave(self) -> None:
        """Take the row away; the lock goes with the connection."""
        Worker.objects.filter(pk=self.id).delete()
        connection.close()


def forget_the_dead() -> int:
    """Remove the rows of workers whose lock is gone; return their number."""
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
