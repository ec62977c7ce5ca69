"""The table `qfc_node.applied_deltas` in somebody's database: which deltas were applied there.

It is created at the first edit if the login has the right to do so, else an administrator of the database may create it
(docs/reference/deltas.md has the statements). Nobody else needs it; its rows can be removed after some weeks.
"""

from __future__ import annotations

import psycopg

from .postgres_connection import Connection

_NAME = "qfc_node.applied_deltas"
_EXISTING = """
    SELECT has_schema_privilege(n.oid, 'USAGE') AND has_table_privilege(c.oid, 'SELECT')
           AND has_table_privilege(c.oid, 'INSERT') AND has_table_privilege(c.oid, 'UPDATE')
    FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
    WHERE n.nspname = 'qfc_node' AND c.relname = 'applied_deltas'
"""
_MAY_CREATE = """
    SELECT coalesce((SELECT has_schema_privilege(oid, 'CREATE') FROM pg_namespace WHERE nspname = 'qfc_node'),
                    has_database_privilege(current_database(), 'CREATE'))
"""
_CREATE = (
    "CREATE SCHEMA IF NOT EXISTS qfc_node",
    """
    CREATE TABLE IF NOT EXISTS qfc_node.applied_deltas (
        delta uuid PRIMARY KEY, feature text, applied_at timestamptz NOT NULL DEFAULT now()
    )
    """,
    "COMMENT ON TABLE qfc_node.applied_deltas IS"
    " 'Edits from field devices that are in this database, so that none is applied twice'",
)
_CLAIM = "INSERT INTO qfc_node.applied_deltas (delta) VALUES (%s) ON CONFLICT DO NOTHING"
_WAIT = "SET LOCAL statement_timeout = '20s'"
_KEY = "SELECT coalesce(feature, '') FROM qfc_node.applied_deltas WHERE delta = %s"
_NOTE = "UPDATE qfc_node.applied_deltas SET feature = %s WHERE delta = %s"
_FORGETS = (
    f"The table {_NAME} is missing in the database, or the project's login may not use it; without it, a crash of the"
    " server may apply an edit twice."
)


class AppliedDeltas:
    """The table, used over the connection that edits. Its methods raise the errors of psycopg."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._is_usable = self._is_there() or self._create()
        self._last: str | None = None

    @property
    def forgets(self) -> str:
        """Why the table cannot be used; empty if it can."""
        return "" if self._is_usable else _FORGETS

    def claim(self, delta_id: str) -> str | None:
        """Add the delta; return the key of its feature if it is there already, else None.

        If another worker is just applying it, this waits until that worker has committed or given up.
        """
        if not self._is_usable:
            return None
        if self._connection.execute(_CLAIM, (delta_id,)).rowcount == 1:
            self._last = delta_id
            return None
        row = self._connection.execute(_KEY, (delta_id,)).fetchone()
        return str(row[0]) if row else None

    def note_key(self, delta_id: str, key: str) -> None:
        """Note the key of the delta's feature."""
        if self._is_usable:
            self._connection.execute(_NOTE, (key, delta_id))

    def is_kept(self, connection: Connection) -> bool:
        """Whether the edits of this run are in the database, asked over another connection.

        A commit may still be on its way: adding the same delta waits until its transaction has ended.
        """
        if self._last is None:
            return False
        connection.execute(_WAIT)
        return connection.execute(_CLAIM, (self._last,)).rowcount == 0

    def _is_there(self) -> bool:
        row = self._connection.execute(_EXISTING).fetchone()
        return bool(row and row[0])

    def _create(self) -> bool:
        row = self._connection.execute(_MAY_CREATE).fetchone()
        if not (row and row[0]):
            return False
        try:
            with self._connection.transaction():
                for statement in _CREATE:
                    self._connection.execute(statement)
        except psycopg.Error:
            if self._connection.closed:
                raise
            return self._is_there()  # another worker may have created it at the same time
        return self._is_there()
