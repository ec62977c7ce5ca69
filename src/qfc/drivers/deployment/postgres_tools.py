"""pg_dump, pg_restore and psql for a deployment's database: in its container, or here if it runs elsewhere."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from ...errors import NotFoundError
from ...stack.model import CommandResult
from ..commands import run_attached
from ..postgres_server import locate

if TYPE_CHECKING:
    from ..routes.database import DatabaseAccess, DatabaseRoute
    from ..runtimes.compose import Observer

DATABASE = "db"
# The server's own client over its own socket; the account comes from the container's environment.
_INSIDE = 'PGUSER=$POSTGRES_USER; export PGUSER; exec "$@"'


@dataclass(frozen=True)
class Tools:
    """PostgreSQL's client programs. With `container` they run in it, on the deployment's host; else here.

    `environment` has the connection parameters for those that run here, including the password.
    """

    container: str | None = None
    environment: Mapping[str, str] = field(default_factory=dict[str, str], repr=False)

    @property
    def is_inside(self) -> bool:
        """Whether they run in the database's container."""
        return self.container is not None

    def argv(self, program: str, *words: str) -> list[str]:
        """Return a command."""
        if self.container is not None:
            return ["docker", "exec", "--interactive", self.container, "sh", "-c", _INSIDE, "sh", program, *words]
        return [program, *words]


def tools_of(access: DatabaseAccess, observer: Observer, parameters: Callable[[], Mapping[str, object]]) -> Tools:
    """Return the tools for a deployment's database. `parameters` of libpq are for one that runs in no container."""
    try:
        container = observer.running(access.host, fresh=True)
    except NotFoundError:
        if observer.containers(access.host):
            raise
        return here(access, parameters())
    return inside(container.id)


def inside(container: str) -> Tools:
    """Return the tools in the database's container."""
    return Tools(container=container)


def here(access: DatabaseAccess, parameters: Mapping[str, object]) -> Tools:
    """Return this machine's tools for a database that `parameters` of libpq describe. Raises NotFoundError."""
    names = {"host": "PGHOST", "hostaddr": "PGHOSTADDR", "port": "PGPORT", "sslmode": "PGSSLMODE"}
    environment = {variable: str(parameters[name]) for name, variable in names.items() if name in parameters}
    environment |= {"PGUSER": access.user, "PGPASSWORD": access.password, "PGDATABASE": access.database}
    environment["PATH"] = f"{programs()}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
    return Tools(environment=environment)


def run_here(database: DatabaseRoute, argv: Sequence[str]) -> CommandResult:
    """Run one of this machine's tools on the operator's terminal; the caller passes its exit code on."""
    tools = here(database.access(), database.parameters())
    return run_attached(tools.argv(*argv), environment={**os.environ, **tools.environment}, check=False)


def programs() -> Path:
    """Return the folder of the newest client programs: the Python package's, else that in PATH."""
    try:
        return locate().bin
    except NotFoundError:
        found = shutil.which("pg_dump", path=os.environ.get("PATH"))
        if found is None:
            raise NotFoundError(
                "This machine has no pg_dump, and the database does not run in a container of the deployment.",
                hint="Install postgresql-client here, in the server's release or a newer one.",
            ) from None
        return Path(found).parent


def names_of_rows(listing: str) -> Sequence[str]:
    """Return the tables whose rows a dump contains, from the output of `pg_restore --list`."""
    lines = (line.partition(" TABLE DATA ")[2].split() for line in listing.splitlines() if not line.startswith(";"))
    return [f"{words[0]}.{words[1]}" for words in lines if len(words) >= 2]
