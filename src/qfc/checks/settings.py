"""A deployment's `.env`: values that are known to make trouble. No value that may be secret is ever told."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence

from .base import Auto, Check, Severity
from .evidence import Evidence

Values = Mapping[str, str]
Mend = Callable[[Values], Mapping[str, str]]
YES = ("1", "true", "yes", "on")
#: Values of secrets that stand in the examples, and are known to everybody.
SHIPPED = {
    "SECRET_KEY": ("change_me",),
    "POSTGRES_PASSWORD": ("3shJDd2r7Twwkehb", "postgres"),
    "MINIO_ROOT_PASSWORD": ("minioadmin",),
    "STORAGE_SECRET_ACCESS_KEY": ("minioadmin",),
    "OBJECT_STORAGE_ROOT_PASSWORD": ("rustfsadmin", "minioadmin"),
}
SHIPPED_SALT = "0123456789abcdefghijklmnopqrstuvwxyz"
DEVELOPMENT = ("override.local", "override.standalone", "override.test")


class SettingCheck(Check):
    """A look at `.env` alone: `problem` says what is wrong in it, `mend` the values that would be right.

    What is mended is put into `.env`, a copy of the old file stays beside it, and `services` are made anew.
    """

    def __init__(
        self,
        id: str,
        title: str,
        severity: Severity,
        fix: str,
        problem: Callable[[Values], str | None],
        *,
        mend: Mend | None = None,
        auto: Auto = Auto.ASK,
        services: Sequence[str] = (),
    ) -> None:
        self.id, self.title, self.severity, self.fix = id, title, severity, fix  # pyright: ignore[reportAttributeAccessIssue]
        self.auto = auto if mend else Auto.NO  # pyright: ignore[reportAttributeAccessIssue]
        self._problem, self._mend, self._services = problem, mend, services

    def applies(self, seen: Evidence) -> bool:
        """Only deployments have an .env."""
        return seen.is_deployment

    def look(self, seen: Evidence) -> str | None:
        """Look at the values."""
        return self._problem(seen.settings())

    def difference(self, seen: Evidence) -> tuple[str, ...]:
        """Return the lines as they are and as they would be."""
        now = seen.settings()
        return tuple(f"{name}: {now.get(name, 'not set')} → {value}" for name, value in self._mended(now).items())

    def repair(self, seen: Evidence) -> None:
        """Change the lines, and make the services that read them anew."""
        seen.ports.deployment.settings.change(self._mended(seen.settings()))
        seen.ports.runtime.recreate(self._services)

    def _mended(self, values: Values) -> Mapping[str, str]:
        return self._mend(values) if self._mend else {}


def development_files(values: Values) -> str | None:
    """A01."""
    files = values.get("COMPOSE_FILE", "")
    found = [name for name in DEVELOPMENT if name in files]
    return f"COMPOSE_FILE has {', '.join(found)}." if found else None


def debug(values: Values) -> str | None:
    """A02."""
    said = [f"DEBUG={values['DEBUG']}"] if values.get("DEBUG", "").lower() in YES else []
    if values.get("ENVIRONMENT", "production") not in ("production", ""):
        said.append(f"ENVIRONMENT={values['ENVIRONMENT']}")
    return f"It says {' and '.join(said)}." if said else None


def shipped_secrets(values: Values) -> str | None:
    """A10."""
    found = [name for name, known in SHIPPED.items() if values.get(name) in known]
    if values.get("SALT_KEY", "").startswith(SHIPPED_SALT[:13]):
        found.append("SALT_KEY")
    return f"As in the example that everybody has: {', '.join(found)}." if found else None


def comment_in_value(values: Values) -> str | None:
    """A06."""
    found = [name for name, value in values.items() if " # " in value]
    return f"A comment is part of the value of {', '.join(found)}." if found else None


def uppercase_host(values: Values) -> str | None:
    """B03."""
    host = values.get("QFIELDCLOUD_HOST", "")
    return f"QFIELDCLOUD_HOST is {host}: nginx hangs up on every request." if host != host.lower() else None


def host_not_allowed(values: Values) -> str | None:
    """B04."""
    host, allowed = values.get("QFIELDCLOUD_HOST", ""), values.get("DJANGO_ALLOWED_HOSTS", "").split()
    if not allowed or "*" in allowed:
        return None
    missing = [name for name in (host, "app", "nginx") if name and name not in allowed]
    return f"DJANGO_ALLOWED_HOSTS lacks {', '.join(missing)}." if missing else None


def staging(values: Values) -> str | None:
    """B11."""
    on = values.get("LETSENCRYPT_STAGING", "0") in YES and bool(values.get("LETSENCRYPT_EMAIL"))
    in_use = "letsencrypt" in values.get("QFIELDCLOUD_TLS_CERT", "")
    return "LETSENCRYPT_STAGING is 1: no device trusts what it issues." if on and in_use else None


def storages(values: Values) -> str | None:
    """C07."""
    text = values.get("STORAGES", "").strip()
    if not text:
        return None
    try:
        known = json.loads(text)
    except ValueError as error:
        return f"STORAGES is no JSON: {error.args[0] if error.args else 'it breaks off'}."
    if not isinstance(known, dict) or not known:
        return "STORAGES names no store."
    default = values.get("STORAGES_PROJECT_DEFAULT_STORAGE", "default")
    return None if default in known else f"STORAGES has no store {default}, the default of projects."


def webdav_credentials(values: Values) -> str | None:
    """C08."""
    address = values.get("STORAGES", "").partition('"webdav_url"')[2].partition("://")[2].partition('"')[0]
    return "webdav_url in STORAGES has name and password in it." if "@" in address.partition("/")[0] else None


def temporary_folder(values: Values) -> str | None:
    """D10."""
    folder = values.get("TMP_DIRECTORY", "/tmp") or "/tmp"
    return None if folder == "/tmp" else f"TMP_DIRECTORY is {folder}; workers and their containers share /tmp."


def mail(values: Values) -> str | None:
    """H06."""
    if values.get("EMAIL_HOST") == "smtp4dev":
        return "EMAIL_HOST is smtp4dev: mail goes nowhere."
    wrong = [name for name in ("EMAIL_USE_TLS", "EMAIL_USE_SSL") if values.get(name, "").lower() in ("1", "yes", "on")]
    return f"{', '.join(wrong)} has to be the word true; anything else is off." if wrong else None


def open_sign_up(values: Values) -> str | None:
    """H07."""
    adapter = values.get("QFIELDCLOUD_ACCOUNT_ADAPTER", "")
    return "Anybody may make an account." if adapter.endswith("SignUpOpen") else None


SETTINGS: tuple[Check, ...] = (
    SettingCheck("A01", "Development files in production", Severity.WARNING,
                 "Take them out of COMPOSE_FILE; then qfc services recreate", development_files),
    SettingCheck("A02", "Debug mode in production", Severity.WARNING,
                 "DEBUG=0 and ENVIRONMENT=production; then qfc services recreate", debug),
    SettingCheck("A06", "A comment became part of a value", Severity.WARNING,
                 "Put comments on lines of their own", comment_in_value),
    SettingCheck("A10", "Shipped secrets are in use", Severity.WARNING,
                 "Give them values of your own; SECRET_KEY and SALT_KEY only before the first start", shipped_secrets),
    SettingCheck("B03", "The host name has capital letters", Severity.CRITICAL,
                 "Write QFIELDCLOUD_HOST in small letters; then qfc services recreate", uppercase_host),
    SettingCheck("B04", "A host is not allowed", Severity.CRITICAL,
                 "Add them to DJANGO_ALLOWED_HOSTS; then qfc services recreate --service app", host_not_allowed),
    SettingCheck("B11", "Certificates of the staging authority", Severity.WARNING,
                 "LETSENCRYPT_STAGING=0; then qfc certs renew --force", staging),
    SettingCheck("C07", "STORAGES is not valid", Severity.CRITICAL, "Correct it in .env", storages),
    SettingCheck("C08", "Credentials in the address of a WebDAV store", Severity.WARNING,
                 "Move them to the options for name and password", webdav_credentials),
    SettingCheck("D10", "The temporary folder is not shared", Severity.CRITICAL,
                 "TMP_DIRECTORY=/tmp; then qfc services recreate", temporary_folder),
    SettingCheck("H06", "Mail goes nowhere", Severity.INFO, "Name a real mail server in EMAIL_HOST", mail),
    SettingCheck("H07", "Sign-up is open", Severity.INFO,
                 "QFIELDCLOUD_ACCOUNT_ADAPTER=…SignUpClosed, unless you want that", open_sign_up),
)  # fmt: skip
