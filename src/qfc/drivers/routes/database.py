"""The route to a deployment's PostgreSQL: in a container of its own, on its host, or elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from time import monotonic
from typing import Any

import psycopg

from ...errors import ConfigError, QfcError, UnreachableError
from ...stack.ports import Machine
from ..docker.containers import Container
from .address import Place, places
from .forwards import Forwards
from .relay import PORT as RELAY_PORT
from .relay import Relay

#: Seconds for one attempt; there may be several routes.
CONNECT_S = 5
#: A failure that took longer than `SLOW_S` seconds is the answer for `FAILED_S` more.
SLOW_S, FAILED_S = 2.0, 5.0
#: States of a container in which nothing of it runs.
ENDED = ("created", "exited", "dead")
#: Containers that reach the database if any do, in the order in which they are tried as relays.
BETWEEN = ("db", "app", "worker_wrapper")
#: Refusals by a server that was reached: another route would get the same answer.
HEARD = ("authentication failed", "does not exist", "no pg_hba.conf entry", "not permitted", "too many")


@dataclass(frozen=True)
class DatabaseAccess:
    """The application's connection parameters for its database."""

    host: str
    port: int
    user: str
    database: str
    password: str = field(repr=False)
    sslmode: str = "prefer"


def access_of(environment: Mapping[str, str]) -> DatabaseAccess:
    """Read the parameters from the application's environment. Raises ConfigError with the missing ones."""
    needed = ("POSTGRES_HOST", "POSTGRES_USER", "POSTGRES_DB")
    missing = [f"{name} is not set for the service app." for name in needed if not environment.get(name)]
    if missing:
        raise ConfigError(missing, hint="Set it in .env, then type: qfc services recreate --service app")
    return DatabaseAccess(
        host=environment["POSTGRES_HOST"],
        port=int(environment.get("POSTGRES_PORT") or 5432),
        user=environment["POSTGRES_USER"],
        database=environment["POSTGRES_DB"],
        password=environment.get("POSTGRES_PASSWORD", ""),
        sslmode=environment.get("POSTGRES_SSLMODE") or "prefer",
    )


#: Returns the current containers of the deployment, and the application's connection parameters.
Topology = Callable[[], tuple[Sequence[Container], DatabaseAccess]]


class DatabaseRoute:
    """Connects by whichever route works, and by the same one afterwards. `topology` is called to find the route."""

    def __init__(self, machine: Machine, forwards: Forwards, topology: Topology) -> None:
        self._machine, self._forwards, self._topology = machine, forwards, topology
        self._known: dict[str, Any] | None = None
        self._failure: tuple[psycopg.OperationalError | UnreachableError, float] | None = None
        self._relays: list[Relay] = []

    def connect(self, database: str | None = None) -> psycopg.Connection[Any]:
        """Return a new connection, to another database of the server if one is given.

        Raises the last error of psycopg when no route works.
        """
        if self._known is not None:
            try:
                return psycopg.connect(**_for(database, self._known))
            except psycopg.OperationalError:
                self._known = None
        return self._find_route(database)

    def access(self) -> DatabaseAccess:
        """Return the application's connection parameters. Raises ConfigError."""
        return self._topology()[1]

    def parameters(self) -> Mapping[str, Any]:
        """Return the libpq parameters of the route that works. Raises the errors of `connect`."""
        if self._known is None:
            self.connect().close()
        return self._known or {}

    def close(self) -> None:
        """Close everything that was opened for the route."""
        for relay in self._relays:
            relay.close()
        self._relays.clear()
        self._known = None

    def _find_route(self, database: str | None) -> psycopg.Connection[Any]:
        if self._failure is not None and monotonic() < self._failure[1]:
            raise self._failure[0]
        began = monotonic()
        try:
            return self._try_routes(database)
        except (psycopg.OperationalError, UnreachableError) as error:
            # A diagnosis asks a hundred times. What does not answer is not asked again for a while.
            if monotonic() - began > SLOW_S:
                self._failure = error, monotonic() + FAILED_S
            raise

    def _try_routes(self, database: str | None) -> psycopg.Connection[Any]:
        containers, access = self._topology()
        if _is_stopped(access.host, containers):
            raise _not_running(access)
        last: Exception | None = None
        for parameters in self._routes(containers, access):
            try:
                connection = psycopg.connect(**_for(database, parameters))
            except psycopg.OperationalError as error:
                last = error
                if any(words in str(error) for words in HEARD):
                    break
            else:
                self._known = parameters
                return connection
        if last is None:
            raise _not_running(access)
        raise last

    def _routes(self, containers: Sequence[Container], access: DatabaseAccess) -> Iterator[dict[str, Any]]:
        for place in places(access.host, access.port, containers):
            here = self._here(place)
            if here is not None:
                yield _parameters(access, here)
        for container in _between(containers):
            relay = Relay(self._machine, container.id, _name_there(access, container), access.port)
            self._relays.append(relay)
            yield {**_parameters(access, Place(str(relay.folder), RELAY_PORT)), "sslmode": "disable"}

    def _here(self, place: Place) -> Place | None:
        """Return where this machine reaches a place; None if the host does not forward ports."""
        try:
            return self._forwards.to(place)
        except UnreachableError:
            raise
        except QfcError:
            return None


def _is_stopped(host: str, containers: Sequence[Container]) -> bool:
    """Return whether a service is the database, and every container of it has ended: no route leads to it."""
    own = [one for one in containers if one.service == host]
    return bool(own) and all(one.status in ENDED for one in own)


def _not_running(access: DatabaseAccess) -> UnreachableError:
    hint = "Type: qfc status, then qfc services restart --service db"
    return UnreachableError(f"The database {access.host} does not run.", hint=hint)


def _for(database: str | None, parameters: dict[str, Any]) -> dict[str, Any]:
    return parameters if database is None else {**parameters, "dbname": database}


def _between(containers: Sequence[Container]) -> list[Container]:
    running = [one for one in containers if one.status == "running" and one.service in BETWEEN and one.number == 1]
    return sorted(running, key=lambda one: BETWEEN.index(one.service))


def _name_there(access: DatabaseAccess, container: Container) -> str:
    """Return the name of the database in a container; in the database's own container, its address."""
    return "127.0.0.1" if container.service == access.host else access.host


def _parameters(access: DatabaseAccess, here: Place) -> dict[str, Any]:
    """Return the parameters for psycopg. The host name stays the server's, so that its certificate can be checked."""
    is_folder = here.address.startswith("/")
    at = {"host": here.address} if is_folder else {"host": access.host, "hostaddr": here.address}
    if not is_folder and not _is_address(here.address):
        at = {"host": here.address}
    return {
        **at,
        "port": here.port,
        "user": access.user,
        "password": access.password,
        "dbname": access.database,
        "sslmode": access.sslmode,
        "connect_timeout": CONNECT_S,
        # Otherwise a database without an encoding of its own returns bytes.
        "client_encoding": "utf8",
        "application_name": "qfc",
    }


def _is_address(text: str) -> bool:
    return ":" in text or text.replace(".", "").isdigit()
