"""B06, B07: the address by which workers reach the application."""

from __future__ import annotations

from urllib.parse import urlsplit

from ..stack.release_facts import ALLOW_HTTP, INTERNAL_HTTP, ReleaseFacts
from .env_repairs import Values
from .evidence import Evidence
from .releases import release_facts
from .setting_check import YES, SettingCheck

WORKER_URL = "QFIELDCLOUD_WORKER_QFIELDCLOUD_URL"


def past_nginx(values: Values) -> str | None:
    """B06."""
    url = values.get(WORKER_URL, "")
    if not url.startswith("http://app:") or values.get("DEBUG", "0").lower() in YES:
        return None
    return f"{WORKER_URL} is {url}: without debug mode, the application refuses downloads that bypass nginx."


def by_the_public_name(values: Values) -> Values:
    """Let workers use the same address as clients, by the port of `.env`."""
    port = values.get("WEB_HTTPS_PORT", "443")
    return {WORKER_URL: f"https://{values['QFIELDCLOUD_HOST']}{'' if port == '443' else f':{port}'}/api/v1/"}


class WorkerAddress(SettingCheck):
    """B06, B07: workers reach files only through nginx, by https. The repair lets them use the address of clients."""

    def corrected(self, seen: Evidence) -> Values:
        """Return the address that clients use: a proxy in front of nginx may have another port than WEB_HTTPS_PORT."""
        values, address = seen.settings(), urlsplit(seen.ports.api.url)
        if address.scheme != "https":
            return by_the_public_name(values)
        return by_the_public_name({**values, "WEB_HTTPS_PORT": str(address.port or 443)})


class PlainNginx(WorkerAddress):
    """B07: nginx redirects http, or hangs up, unless the release has a variable for it, and this address fits."""

    def look(self, seen: Evidence) -> str | None:
        """Compare the address that workers use with what the release's nginx answers by http."""
        url, host = seen.settings().get(WORKER_URL, ""), seen.settings().get("QFIELDCLOUD_HOST", "")
        name = urlsplit(url).hostname or ""
        if not url.startswith("http://") or name not in ("nginx", host):
            return None
        facts = release_facts(seen)
        if name == "nginx" and facts is not None and facts.has_internal_http:
            return f"{WORKER_URL} is {url}, but nginx hangs up on the host name nginx: every job fails."
        if facts is not None and _is_on(seen.settings(), _variable(facts)):
            return None
        return f"{WORKER_URL} is {url}, but nginx redirects http to https: every job fails."


def _variable(facts: ReleaseFacts) -> str:
    """Return the variable by which nginx of this release answers workers by http; empty without one."""
    return INTERNAL_HTTP if facts.has_internal_http else ALLOW_HTTP if facts.allows_http else ""


def _is_on(values: Values, name: str) -> bool:
    return values.get(name, "0").lower() in YES
