"""Connect to the database that a layer names, and say in our own words what went wrong there."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from ... import elsewhere
from ...database_rules import EFFECTIVE_USER, NOT_IN_THE_PLAN, DatabaseRules
from ...datasource import DatabaseSource
from ..editing import RefusedError
from .postgres_login import PARAMETERS, hidden_variables, login_of

#: The role that QGIS takes on after the login.
_ROLE = "session_role"
#: Parts of messages before a login, and what they mean. A server's own words might be anything.
_REASONS = {
    "no password supplied": "the login needs a password, as a secret of the project",
    "password authentication failed": "it refuses the user or the password",
    "no pg_hba.conf entry": "it does not admit this user from the node's address",
    "does not exist": "it has no such database or user",
    "too many": "it has too many connections",
    "certificate verify failed": "its certificate is not one of a known authority",
    "server certificate for": "its certificate is for another name",
    "does not support SSL": "it does not support TLS, which the layer requires",
    "root certificate file": "the certificate of its authority is missing",
    "permission denied to set role": "the login may not take on the role of the layer",
}
_SILENT = "no PostgreSQL server answers there"
#: Classes of SQLSTATE that are about the edit or the table: what a database says of them is for its own users.
_OF_THE_EDIT = ("22", "23", "25", "40", "42", "44", "55", "P0", "0A", "2F", "38", "39")
_LONGEST = 500

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
    return {name: value for name in ("service", *PARAMETERS, _ROLE) if (value := source.parameters.get(name))}


def editing_connection_of(source: DatabaseSource) -> dict[str, str]:
    """Return the parameters for `connect` to write edits: in the role of the project's secret, if it has one."""
    role = os.environ.get(EFFECTIVE_USER)
    return {**connection_of(source), **({_ROLE: role} if role else {})}


def connect(parameters: Mapping[str, str], rules: DatabaseRules, folder: Path) -> Connection:
    """Open a connection to a server that the rules allow. `folder`: the project's files.

    Raises RefusedError, and NetworkNeededError where the process has no network.
    """
    if not rules.permitted:  # asked first: no network would help
        raise RefusedError(NOT_IN_THE_PLAN)
    elsewhere.require()
    login = login_of(parameters, rules, folder)
    try:
        with hidden_variables():
            connection: Connection = psycopg.connect(**login)
    except (psycopg.Error, UnicodeError) as error:
        raise _unanswered(error) from error
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
    """Return in one line what a database says about an edit or a table; of anything else only the kind of error."""
    state = error.sqlstate or ""
    words = " ".join((error.diag.message_primary or "").split())
    if words and state.startswith(_OF_THE_EDIT):
        return "".join(letter for letter in words if letter.isprintable())[:_LONGEST]
    return f"error {state} of the server" if state else "the connection was lost"


def _unanswered(error: Exception) -> RefusedError:
    """Return the error for a login that failed, in words that do not tell what else listens there."""
    text = str(error)
    reason = next((ours for theirs, ours in _REASONS.items() if theirs in text), _SILENT)
    return RefusedError(f"The database cannot be reached: {reason}", (reason,))
