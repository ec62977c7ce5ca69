"""B13: the size of the requests that nginx takes from workers by http."""

from __future__ import annotations

from urllib.parse import urlsplit

from ..stack.nginx_text import body_limit
from ..stack.release_facts import INTERNAL_HTTP
from .base import Auto, DeploymentCheck, Severity
from .env_repairs import RepairsEnv, Values
from .evidence import Evidence
from .releases import release_facts
from .setting_check import YES
from .worker_address import WORKER_URL, usable_address

NGINX, HTTP, HTTPS = "nginx", 80, 443
LIMIT_S = 20.0


class SmallUploads(DeploymentCheck, RepairsEnv):
    """B13: since v26.8 nginx answers workers by http, but there only the server for https has a size of its own."""

    id = "B13-workers"
    title = "nginx refuses large files of workers"
    severity = Severity.CRITICAL
    fix = (
        f"Set {WORKER_URL} to the public https address; or mount a file with client_max_body_size into nginx's folder"
        " /etc/nginx/conf.d, in an override file"
    )
    auto = Auto.ASK
    services = ("worker_wrapper",)

    def look(self, seen: Evidence) -> str | None:
        """Read the sizes in the configuration of the running nginx, where workers use http."""
        url = self._http_address(seen)
        if not url:
            return None
        text = seen.ports.runtime.execute(NGINX, ["nginx", "-T"], timeout_s=LIMIT_S).stdout
        by_http, by_https = body_limit(text, HTTP), body_limit(text, HTTPS)
        if by_http is None or by_https is None or by_http == 0 or (by_https and by_http >= by_https):
            return None
        return (
            f"Workers use {url}, by which nginx takes at most {by_http / 1e6:.0f} MB;"
            " larger packages and data files get 413."
        )

    def corrected(self, seen: Evidence) -> Values:
        """Return the address of clients, if jobs can use it: they reach it, and trust its certificate."""
        return usable_address(seen)

    def _http_address(self, seen: Evidence) -> str:
        """Return the address of workers if it is an http one that nginx answers; another check sees all others."""
        values, facts = seen.settings(), release_facts(seen)
        url = values.get(WORKER_URL, "")
        parts = urlsplit(url)
        is_answered = facts is not None and facts.has_internal_http and values.get(INTERNAL_HTTP, "0").lower() in YES
        is_nginx = parts.scheme == "http" and parts.hostname == values.get("QFIELDCLOUD_HOST", "")
        return url if is_answered and is_nginx else ""
