"""A deployment's `.env`: values that are known to cause problems. A value that may be secret is never shown."""

from __future__ import annotations

import json
import re
from typing import cast

from ..stack.api_status import STATUS
from .base import Auto, Check, Severity
from .development import DevelopmentFiles, development_files, without_development
from .env_repairs import Values
from .evidence import Evidence
from .pages import asked
from .setting_check import YES, SettingCheck
from .shipped import ShippedPasswords, ShippedSecrets
from .worker_address import WORKER_URL, PlainNginx, WorkerAddress, by_the_public_name, past_nginx

#: The application's answer to host names that are not allowed.
BAD_REQUEST = 400
#: ENVIRONMENT of a server in use; where several share an engine, each adds a suffix.
PRODUCTION = "production"
#: Variables that set ports of the host.
PUBLISHED = re.compile(r"(WEB|HOST|MINIO|OBJECT_STORAGE|SMTP4DEV|WEBDAV|DEBUG)_\w*PORT$")
DEFAULT_STORE = "STORAGES_PROJECT_DEFAULT_STORAGE"
ENCRYPTION = ("EMAIL_USE_TLS", "EMAIL_USE_SSL")
#: Names of variables in older releases, and the names that newer ones read instead.
RENAMED = {
    "SQL_DATABASE": "POSTGRES_DB",
    "SQL_USER": "POSTGRES_USER",
    "SQL_PASSWORD": "POSTGRES_PASSWORD",
    "SQL_HOST": "POSTGRES_HOST",
    "SQL_PORT": "POSTGRES_PORT",
}


def same_port(values: Values) -> str | None:
    """A05."""
    by_port: dict[str, list[str]] = {}
    for name, port in published(values).items():
        by_port.setdefault(port, []).append(name)
    found = [f"{' and '.join(names)} are both {port}" for port, names in by_port.items() if len(names) > 1]
    return f"{'; '.join(found)}: the second service cannot start." if found else None


def next_ports(values: Values) -> Values:
    """Give each service but the first on a port the next port that no other line uses."""
    changed: dict[str, str] = {}
    seen: set[str] = set()
    for name, port in published(values).items():
        if port in seen:
            changed[name] = port = free_port(int(port), {**values, **changed})
        seen.add(port)
    return changed


def free_port(after: int, values: Values) -> str:
    """Return the next port that no line uses."""
    taken = published(values).values()
    return next(str(port) for port in range(after + 1, 65536) if str(port) not in taken)


def published(values: Values) -> dict[str, str]:
    """Return the lines that set the host's ports of services."""
    return {name: value for name, value in values.items() if PUBLISHED.match(name) and value.isdigit()}


def debug(values: Values) -> str | None:
    """A02."""
    said = [f"DEBUG={values['DEBUG']}"] if values.get("DEBUG", "").lower() in YES else []
    if not (values.get("ENVIRONMENT") or PRODUCTION).startswith(PRODUCTION):
        said.append(f"ENVIRONMENT={values['ENVIRONMENT']}")
    return f".env has {' and '.join(said)}." if said else None


def without_debug(values: Values) -> Values:
    """Switch debug mode off; another name of a production environment stays."""
    environment = values.get("ENVIRONMENT") or PRODUCTION
    return {"DEBUG": "0", "ENVIRONMENT": environment if environment.startswith(PRODUCTION) else PRODUCTION}


def comment_in_value(values: Values) -> str | None:
    """A06."""
    found = [name for name, value in values.items() if " # " in value]
    return f"A comment is part of the value of {', '.join(found)}." if found else None


def without_comment(values: Values) -> Values:
    """Cut each such value before its comment."""
    return {name: value.partition(" # ")[0].rstrip() for name, value in values.items() if " # " in value}


def host_name(values: Values) -> str | None:
    """B03, B17."""
    host = values.get("QFIELDCLOUD_HOST", "")
    return None if host == _bare(host) else f"QFIELDCLOUD_HOST is {host}: nginx drops every request."


def bare_host(values: Values) -> Values:
    """Reduce the value to the bare name, in lower case."""
    return {"QFIELDCLOUD_HOST": _bare(values["QFIELDCLOUD_HOST"])}


def _bare(host: str) -> str:
    return (
        host.partition("://")[2].partition("/")[0].partition(":")[0].lower()
        if "://" in host
        else (host.partition("/")[0].partition(":")[0].lower())
    )


class HostNotAllowed(SettingCheck):
    """B04: the application answers 400 to host names that are not allowed."""

    def look(self, seen: Evidence) -> str | None:
        """Compare DJANGO_ALLOWED_HOSTS with the host names in use, unless the application answers to them anyway."""
        missing = _not_allowed(seen.settings())
        host = seen.settings().get("QFIELDCLOUD_HOST", "")
        if host in missing and asked(seen, STATUS).status != BAD_REQUEST:
            missing.remove(host)
        return f"DJANGO_ALLOWED_HOSTS lacks {', '.join(missing)}." if missing else None


def with_hosts(values: Values) -> Values:
    """Add the missing host names."""
    return {"DJANGO_ALLOWED_HOSTS": " ".join([*values["DJANGO_ALLOWED_HOSTS"].split(), *_not_allowed(values)])}


def _not_allowed(values: Values) -> list[str]:
    host, allowed = values.get("QFIELDCLOUD_HOST", ""), values.get("DJANGO_ALLOWED_HOSTS", "").split()
    if not allowed or "*" in allowed:
        return []
    return [name for name in (host, "app", "nginx") if name and name not in allowed]


def staging(values: Values) -> str | None:
    """B11."""
    on = values.get("LETSENCRYPT_STAGING", "0") in YES and bool(values.get("LETSENCRYPT_EMAIL"))
    in_use = "letsencrypt" in values.get("QFIELDCLOUD_TLS_CERT", "")
    return "LETSENCRYPT_STAGING is 1: no device trusts these certificates." if on and in_use else None


def storages(values: Values) -> str | None:
    """C07."""
    text = values.get("STORAGES", "").strip()
    if not text:
        return None
    try:
        known = json.loads(text)
    except ValueError as error:
        return f"STORAGES is not valid JSON: {error.args[0] if error.args else 'it is truncated'}."
    if not isinstance(known, dict) or not known:
        return "STORAGES defines no store."
    default = values.get(DEFAULT_STORE, "default")
    return None if default in known else f"STORAGES lacks the store {default}, the default for projects."


def only_store(values: Values) -> Values:
    """Make the only store the default; with several, the operator has to choose."""
    known = _stores(values)
    return {DEFAULT_STORE: known[0]} if len(known) == 1 else {}


def _stores(values: Values) -> list[str]:
    try:
        known = json.loads(values.get("STORAGES", ""))
    except ValueError:
        return []
    return [str(name) for name in cast("dict[str, object]", known)] if isinstance(known, dict) else []


def webdav_credentials(values: Values) -> str | None:
    """C08."""
    address = values.get("STORAGES", "").partition('"webdav_url"')[2].partition("://")[2].partition('"')[0]
    return "webdav_url in STORAGES contains a name and a password." if "@" in address.partition("/")[0] else None


def temporary_folder(values: Values) -> str | None:
    """D10."""
    folder = values.get("TMP_DIRECTORY", "/tmp") or "/tmp"
    return None if folder == "/tmp" else f"TMP_DIRECTORY is {folder}, but workers and job containers share /tmp."


def mail(values: Values) -> str | None:
    """H06."""
    return "EMAIL_HOST is smtp4dev, which delivers nothing." if values.get("EMAIL_HOST") == "smtp4dev" else None


def mail_encryption(values: Values) -> str | None:
    """H06."""
    wrong = [name for name in ENCRYPTION if values.get(name, "").lower() in ("1", "yes", "on")]
    return f"{', '.join(wrong)} must be the word true; every other value means off." if wrong else None


def with_encryption(values: Values) -> Values:
    """Set the value that the application understands."""
    return {name: "true" for name in ENCRYPTION if values.get(name, "").lower() in ("1", "yes", "on")}


def unverified(values: Values) -> str | None:
    """H06: an account logs in only by a link that is never delivered."""
    needs_mail = values.get("ACCOUNT_EMAIL_VERIFICATION", "").lower() == "mandatory"
    has_none = values.get("EMAIL_HOST", "") in ("", "smtp4dev")
    return "ACCOUNT_EMAIL_VERIFICATION is mandatory, but no mail is delivered." if needs_mail and has_none else None


def open_sign_up(values: Values) -> str | None:
    """H07."""
    adapter = values.get("QFIELDCLOUD_ACCOUNT_ADAPTER", "")
    return "Anybody can create an account." if adapter.endswith("SignUpOpen") else None


def closed_sign_up(values: Values) -> Values:
    """Set the adapter that refuses sign-ups."""
    return {"QFIELDCLOUD_ACCOUNT_ADAPTER": values["QFIELDCLOUD_ACCOUNT_ADAPTER"].removesuffix("Open") + "Closed"}


def renamed(values: Values) -> str | None:
    """I04."""
    old = [f"{name} (now {new})" for name, new in RENAMED.items() if name in values and new not in values]
    return f"Outdated names: {', '.join(old)}." if old else None


SETTINGS: tuple[Check, ...] = (
    DevelopmentFiles("A01", "Development files are used in production", Severity.WARNING,
                     "Remove them from COMPOSE_FILE; then: qfc services recreate", development_files,
                     correct=without_development),
    SettingCheck("A02", "Debug mode is on in production", Severity.WARNING,
                 "Set DEBUG=0 and ENVIRONMENT=production in .env; then: qfc services recreate", debug,
                 correct=without_debug),
    SettingCheck("A05-env", "Two services are set to the same port", Severity.CRITICAL,
                 "Give each service its own port in .env; then: qfc up", same_port, correct=next_ports),
    SettingCheck("A06", "A comment became part of a value", Severity.WARNING,
                 "Put comments in .env on lines of their own; then: qfc services recreate", comment_in_value,
                 correct=without_comment, auto=Auto.SAFE),
    ShippedSecrets(),
    ShippedPasswords(),
    SettingCheck("B03", "The host name is not a bare name in lower case", Severity.CRITICAL,
                 "Set QFIELDCLOUD_HOST without https://, port and slash; then: qfc services recreate", host_name,
                 correct=bare_host, problems=("B03", "B17")),
    HostNotAllowed("B04", "A host name in use is not allowed", Severity.CRITICAL,
                   "Add it to DJANGO_ALLOWED_HOSTS; then: qfc services recreate --service app", lambda _: None,
                   correct=with_hosts, auto=Auto.SAFE, services=("app",)),
    WorkerAddress("B06", "Workers bypass nginx", Severity.CRITICAL,
                  f"Set {WORKER_URL} to the public https address; then: qfc services recreate --service worker_wrapper",
                  past_nginx, correct=by_the_public_name, services=("worker_wrapper",)),
    PlainNginx("B07", "nginx refuses its own workers", Severity.CRITICAL,
               f"Set {WORKER_URL} to the public https address, or (since v26.8) NGINX_ALLOW_INTERNAL_HTTP=1 and"
               " http://HOST/api/v1/ with HOST as a network alias of nginx",
               lambda _: None, correct=by_the_public_name, services=("worker_wrapper",)),
    SettingCheck("B11", "Certificates come from the staging authority", Severity.WARNING,
                 "Set LETSENCRYPT_STAGING=0; then: qfc certs renew --force", staging,
                 correct=lambda _: {"LETSENCRYPT_STAGING": "0"}, services=("certbot",)),
    SettingCheck("C07", "STORAGES is not valid", Severity.CRITICAL, "Correct it in .env; then: qfc services recreate",
                 storages, correct=only_store),
    SettingCheck("C08", "The address of a WebDAV store contains credentials", Severity.WARNING,
                 "Move them to the store's options for name and password", webdav_credentials),
    SettingCheck("D10", "Workers do not share the temporary folder with jobs", Severity.CRITICAL,
                 "Set TMP_DIRECTORY=/tmp; then: qfc services recreate", temporary_folder,
                 correct=lambda _: {"TMP_DIRECTORY": "/tmp"}),
    SettingCheck("H06", "Mail is never delivered", Severity.INFO,
                 "Name a real mail server in EMAIL_HOST; then: qfc services recreate --service app", mail),
    SettingCheck("H06-tls", "Mail is sent without encryption", Severity.INFO,
                 "Set EMAIL_USE_TLS=true; then: qfc services recreate --service app", mail_encryption,
                 correct=with_encryption, services=("app",)),
    SettingCheck("H06-verify", "New users can never log in", Severity.WARNING,
                 "Name a real mail server in EMAIL_HOST, or set ACCOUNT_EMAIL_VERIFICATION=optional; then:"
                 " qfc services recreate --service app",
                 unverified, correct=lambda _: {"ACCOUNT_EMAIL_VERIFICATION": "optional"}, services=("app",)),
    SettingCheck("H07", "Sign-up is open to everybody", Severity.INFO,
                 "Unless that is intended, set QFIELDCLOUD_ACCOUNT_ADAPTER=…SignUpClosed", open_sign_up,
                 correct=closed_sign_up, services=("app",)),
    SettingCheck("I04", "Variables have names that later releases do not read", Severity.INFO,
                 "Before the next upgrade, add them to .env under their new names", renamed),
)  # fmt: skip
