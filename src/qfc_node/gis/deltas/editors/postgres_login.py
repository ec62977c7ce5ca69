"""The login of a database: what the layer says, completed by the project's secrets, and nothing else.

libpq itself would read files, environment variables and services, and find keys and passwords of the account that the
node runs under. So everything that it would look up is given to it, and its variables are hidden from it.
"""

from __future__ import annotations

import os
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ...database_rules import DatabaseRules, ForbiddenServerError, Resolver, addresses, check_login, resolve
from ..editing import RefusedError

#: Parameters that a layer, a service or a variable may set.
PARAMETERS = ("host", "hostaddr", "port", "dbname", "user", "password", "sslmode", "sslrootcert")
#: Parameters of a service that change nothing here.
_IGNORED = frozenset({"application_name", "connect_timeout", "client_encoding", "target_session_attrs"})
_VARIABLES = {
    "host": "PGHOST",
    "hostaddr": "PGHOSTADDR",
    "port": "PGPORT",
    "dbname": "PGDATABASE",
    "user": "PGUSER",
    "password": "PGPASSWORD",
    "sslmode": "PGSSLMODE",
    "sslrootcert": "PGSSLROOTCERT",
    "service": "PGSERVICE",
}
_PREFIX = "PG"
_SSL_MODES = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")
#: No such file exists: libpq then uses none.
_NO_FILE = "/nonexistent/by-intention"
_SETTINGS: Mapping[str, Any] = {
    "connect_timeout": 10,
    "application_name": "qfc",
    "client_encoding": "UTF8",
    "options": "",
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 30_000,
    "passfile": _NO_FILE,
    "sslcert": _NO_FILE,
    "sslkey": _NO_FILE,
    "sslcrl": _NO_FILE,
    "gssencmode": "disable",
}


def login_of(
    parameters: Mapping[str, str], rules: DatabaseRules, folder: Path, resolver: Resolver = resolve
) -> dict[str, Any]:
    """Return the complete parameters for libpq, with the address that was checked. Raises RefusedError.

    `folder`: where the project's files are, of which one may be the certificate of an authority.
    """
    known = _completed(parameters)
    try:
        found, port = addresses(known.get("hostaddr") or known.get("host", ""), known.get("port", ""), rules, resolver)
    except ForbiddenServerError as error:
        raise RefusedError(str(error)) from error
    name = known.get("host") or known.get("hostaddr", "")
    if name.startswith(("/", "@")) or "," in name:
        raise RefusedError("The layer must name one server, by its name or address")
    known |= {"host": ",".join([name] * len(found)), "hostaddr": ",".join(found), "port": str(port)}
    _check(known)
    try:
        check_login(found, port, known["dbname"], known["user"], rules)
    except ForbiddenServerError as error:
        raise RefusedError(str(error)) from error
    return {**known, **_certificate(known, folder), **_SETTINGS}


@contextmanager
def hidden_variables() -> Generator[None]:
    """Hide the variables of libpq, which it would use for whatever it is not given."""
    hidden = {name: value for name, value in os.environ.items() if name.startswith(_PREFIX)}
    for name in hidden:
        del os.environ[name]
    try:
        yield
    finally:
        os.environ.update(hidden)


def _completed(parameters: Mapping[str, str]) -> dict[str, str]:
    """Return the layer's parameters, then those of its service, then those of the project's variables."""
    variables = {name: os.environ[variable] for name, variable in _VARIABLES.items() if os.environ.get(variable)}
    service = parameters.get("service") or variables.pop("service", "")
    variables.pop("service", None)
    known = {**variables, **(_service(service) if service else {})}
    known |= {name: value for name, value in parameters.items() if name in PARAMETERS and value}
    if "host" in parameters and "hostaddr" not in parameters:
        known.pop("hostaddr", None)  # that of another server
    return known


def _service(name: str) -> dict[str, str]:
    """Return the parameters of a service in the project's secrets. Raises RefusedError."""
    path = os.environ.get("PGSERVICEFILE", "")
    text = Path(path).read_text(encoding="utf-8") if path and Path(path).is_file() else ""
    lines = [line.strip() for line in text.splitlines()]
    if f"[{name}]" not in lines:
        raise RefusedError(f"The project has no secret with the service '{name[:60]}'")
    found: dict[str, str] = {}
    for line in lines[lines.index(f"[{name}]") + 1 :]:
        if line.startswith("["):
            break
        key, is_pair, value = line.partition("=")
        if is_pair and not line.startswith("#"):
            found[key.strip()] = value.strip()
    other = next((key for key in found if key not in PARAMETERS and key not in _IGNORED), None)
    if other is not None:
        raise RefusedError(f"The service '{name[:60]}' sets '{other[:40]}', which the node does not support")
    return {key: value for key, value in found.items() if key in PARAMETERS}


def _check(known: Mapping[str, str]) -> None:
    if known.get("sslmode", "prefer") not in _SSL_MODES:
        raise RefusedError(f"'{known['sslmode'][:40]}' is not one of PostgreSQL's modes of TLS")
    if not known.get("dbname") or "=" in known["dbname"] or "://" in known["dbname"]:
        raise RefusedError("The layer must name a database")
    if not known.get("user"):
        raise RefusedError("The layer names no user, and neither does a secret of the project")


def _certificate(known: Mapping[str, str], folder: Path) -> dict[str, str]:
    """Return the certificates of authorities that count: a file of the project, or those of the system."""
    wanted = known.get("sslrootcert", "")
    if wanted == "system" or not wanted:
        return {"sslrootcert": wanted or _NO_FILE}
    path = (folder / wanted).resolve()
    if not (path.is_relative_to(folder.resolve()) and path.is_file()):
        raise RefusedError("The certificate (sslrootcert) must be a file of the project")
    return {"sslrootcert": str(path)}
