"""The mail server, as the application reaches it; without one, nobody can reset a password."""

from __future__ import annotations

from collections.abc import Mapping

from .base import Check, DeploymentCheck, Severity
from .containers import containers
from .evidence import Evidence, named

HOST, PORT = "EMAIL_HOST", "EMAIL_PORT"
ENCRYPTED, UPGRADED, USER = "EMAIL_USE_SSL", "EMAIL_USE_TLS", "EMAIL_HOST_USER"
#: Catches mail for developers; the check of the setting reports its use.
FOR_DEVELOPERS = "smtp4dev"
USUAL_PORT = 25
LOOPBACK = ("127.", "[::1]")


class MailServerSilent(DeploymentCheck):
    """H06: a greeting shows more than a setting; no mail is sent."""

    id = "H06-server"
    problems = ("H06",)
    title = "The mail server does not match the settings"
    severity = Severity.WARNING
    fix = f"Check {HOST}, {PORT}, {UPGRADED} and {ENCRYPTED} in .env; then: qfc services recreate --service app"

    def look(self, seen: Evidence) -> str | None:
        """Greet the mail server from the application, and compare its extensions with the settings."""
        values = seen.settings()
        host, port = values.get(HOST, ""), _port(values)
        if host in ("", FOR_DEVELOPERS) or port is None:
            return None
        found = seen.inspection.network.mail_server(host, port, encrypted=_is_on(values, ENCRYPTED))
        if found.error:
            return f"{host}:{port} from app: {found.error}."
        missing = [word for word, wanted in _wanted(values).items() if wanted and word not in found.extensions]
        return f"{host}:{port} does not offer {' and '.join(missing)}." if missing else None


def _port(values: Mapping[str, str]) -> int | None:
    text = values.get(PORT, "") or str(USUAL_PORT)
    return int(text) if text.isdigit() else None


def _wanted(values: Mapping[str, str]) -> dict[str, bool]:
    """Return the extensions that the settings require; many servers offer AUTH only after encryption."""
    upgraded = _is_on(values, UPGRADED)
    return {"STARTTLS": upgraded, "AUTH": bool(values.get(USER)) and not upgraded}


def _is_on(values: Mapping[str, str], name: str) -> bool:
    """Return whether a setting is on, read as the application does: only the word `true` counts."""
    return values.get(name, "").strip().lower() == "true"


class MailCatcherOpen(DeploymentCheck):
    """H06: smtp4dev has no login, and its pages show the links by which users set new passwords."""

    id = "H06-open"
    title = "Everybody can read the server's mail"
    severity = Severity.WARNING
    fix = "Name a real mail server in EMAIL_HOST, or publish smtp4dev at 127.0.0.1 only, in an override file"

    def look(self, seen: Evidence) -> str | None:
        """Look for ports of smtp4dev on the host's public addresses, where the application sends its mail to it."""
        if seen.settings().get(HOST) != FOR_DEVELOPERS:
            return None
        catchers = [one for one in containers(seen) if one.service == FOR_DEVELOPERS and one.is_running]
        found = [place for one in catchers for place in one.published if not place.startswith(LOOPBACK)]
        return f"{FOR_DEVELOPERS} answers without a login at {named(found)}." if found else None


MAIL: tuple[Check, ...] = (MailServerSilent(), MailCatcherOpen())
