"""Problems that a stack's database shows, one file per topic; the queries are in `drivers/sql/conditions_*.sql`."""

from __future__ import annotations

from ..connection import Connect, Database
from .accounts import PostgresAccounts
from .files import PostgresFiles
from .projects import PostgresProjects
from .server import PostgresServer
from .work import PostgresWork


class PostgresConditions:
    """Problems that rows show, by topic. Implements `qfc.stack.ports.Conditions`."""

    def __init__(self, connect: Connect) -> None:
        self._database = Database(connect)
        self.accounts = PostgresAccounts(self._database)
        self.files = PostgresFiles(self._database)
        self.projects = PostgresProjects(self._database)
        self.server = PostgresServer(self._database)
        self.work = PostgresWork(self._database)

    def close(self) -> None:
        """Close the connections."""
        self._database.close()
