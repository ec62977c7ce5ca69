"""Connect to the database that a layer names, with what libpq finds in its environment: services and passwords."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import psycopg
from psycopg import sql

from ... import elsewhere
from ...datasource import DatabaseSource
from ..editing import RefusedError

#: Parameters of a QGIS source that libpq knows.
_PARAMETERS = ("service", "host", "hostaddr", "port", "dbname", "user", "password", "sslmode", "sslrootcert")
#: The role that QGIS takes on after the login.
_ROLE = "session_role"
_SETTINGS: dict[str, Any] = {"connect_timeout": 10, "application_name": "qfc", "client_encoding": "UTF8"}

Connection = psycopg.Connection[tuple[Any, ...]]


def connection_of(source: DatabaseSource) -> dict[str, str]:
    """Return the parameters for `connect`. Raises RefusedError for those that only QGIS can resolve."""
    if source.provider != "postgres":
        raise RefusedError(f"Layers of the provider {source.provider} cannot be edited here")
    if source.parameters.get("authcfg"):
        reason = (
            "The connection uses an authentication configuration of QGIS, which only exists on its author's computer"
        )
        raise RefusedError(f"{reason}; use a service (pg_service.conf, as a secret of the project) instead")
    return {name: value for name in (*_PARAMETERS, _ROLE) if (value := source.parameters.get(name))}


def connect(parameters: Mapping[str, str]) -> Connection:
    """Open a connection. Raises RefusedError, and NetworkNeededError where the process has no network."""
    elsewhere.require()
    login: dict[str, Any] = {name: value for name, value in parameters.items() if name != _ROLE}
    try:
        connection: Connection = psycopg.connect(**login, **_SETTINGS)
    except psycopg.Error as error:
        raise unreachable(error) from error
    try:
        if role := parameters.get(_ROLE):
            connection.execute(sql.SQL("SET ROLE {}").format(sql.Identifier(role)))
            connection.commit()
    except psycopg.Error as error:
        connection.close()
        raise unreachable(error) from error
    return connection


def unreachable(error: psycopg.Error) -> RefusedError:
    """Return the error for a database that cannot be used."""
    return RefusedError(f"The database cannot be reached: {said(error)}", (said(error),))


def said(error: psycopg.Error) -> str:
    """Return the server's own words in one line, without the address and login."""
    return " ".join((error.diag.message_primary or str(error)).split())
