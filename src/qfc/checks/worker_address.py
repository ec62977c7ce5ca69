"""B06, B07: the address by which workers reach the application."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import IPv4Network, IPv6Network, ip_network
from urllib.parse import urlsplit

from ..errors import QfcError
from ..stack.model import Vantage
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
    """Let workers use the same address as clients, by the port of `.env`; nothing without a name."""
    host, port = values.get("QFIELDCLOUD_HOST", ""), values.get("WEB_HTTPS_PORT") or "443"
    return {WORKER_URL: f"https://{host}{'' if port == '443' else f':{port}'}/api/v1/"} if host else {}


def public_address(seen: Evidence) -> Values:
    """Let workers use the address of clients: a proxy in front of nginx may have another port than WEB_HTTPS_PORT."""
    values, address = seen.settings(), urlsplit(seen.ports.api.url)
    if address.scheme != "https":
        return by_the_public_name(values)
    return by_the_public_name({**values, "WEB_HTTPS_PORT": str(address.port or 443)})


def usable_address(seen: Evidence) -> Values:
    """Return the address of clients if jobs can use it, as far as can be seen; nothing otherwise.

    Inside the deployment its name may lead to nginx itself, which has other ports there; jobs verify its certificate.
    """
    address = public_address(seen)
    return address if address and _is_trusted(seen) and _answers(seen, address[WORKER_URL]) else {}


def _is_trusted(seen: Evidence) -> bool:
    try:
        return seen.once("certificate served", seen.ports.deployment.certificates.served).trusted is not False
    except QfcError:
        return True  # nobody can tell


def _answers(seen: Evidence, url: str) -> bool:
    try:
        status = seen.inspection.network.reach(Vantage.APP, f"{url}status/").status
    except QfcError:
        return False
    return status is not None and (status < 300 or 400 <= status < 500)


class WorkerAddress(SettingCheck):
    """B06, B07: workers reach files only through nginx, by https. The repair lets them use the address of clients."""

    def corrected(self, seen: Evidence) -> Values:
        """Return the address that clients use, if jobs can use it too."""
        return usable_address(seen)


class PlainNginx(WorkerAddress):
    """B07: nginx hangs up on other names than the server's, and redirects http.

    Since v26.8 a variable lets it take http from Docker's usual networks, if the server's name leads to nginx itself.
    """

    def look(self, seen: Evidence) -> str | None:
        """Compare the address that workers use with what the release's nginx answers; where it may answer, ask it."""
        url, host = seen.settings().get(WORKER_URL, ""), seen.settings().get("QFIELDCLOUD_HOST", "")
        name, facts = urlsplit(url).hostname or "", release_facts(seen)
        if name == "nginx" and facts is not None and not facts.allows_http:
            return f"{WORKER_URL} is {url}, but nginx hangs up on the host name nginx: every job fails."
        if not url.startswith("http://") or name not in ("nginx", host):
            return None
        if facts is None or not _is_on(seen.settings(), _variable(facts)):
            return f"{WORKER_URL} is {url}, but nginx redirects http to https: every job fails."
        return self._redirected(seen, url, facts)

    def _redirected(self, seen: Evidence, url: str, facts: ReleaseFacts) -> str | None:
        """Send a request as jobs do; return what keeps nginx from answering it by http.

        An nginx that does not run answers nobody, and has no name in the network: another check reports it.
        """
        nginx = seen.services().get("nginx")
        if nginx is not None and not nginx.running:
            return None
        reached = seen.inspection.network.reach(Vantage.APP, f"{url.rstrip('/')}/status/")
        if reached.status is not None and not 300 <= reached.status < 400:
            return None
        answer = reached.error or "nginx redirects it to https"
        return f"A request from app to {url} fails ({answer}): every job fails. {self._cause(seen, url, facts)}"

    def _cause(self, seen: Evidence, url: str, facts: ReleaseFacts) -> str:
        network = job_network(seen)
        outside = [one for one in network_ranges(seen, network) if not _is_within(one, facts.internal_networks)]
        allowed = ", ".join(facts.internal_networks)
        if outside:
            return f"nginx takes http only from {allowed}, but {network} has {', '.join(outside)}."
        return f"The name {urlsplit(url).hostname} must lead to nginx itself, by a network alias of its service."


def job_network(seen: Evidence) -> str:
    """Return the name of the network that jobs run in."""
    return seen.settings().get("QFIELDCLOUD_DEFAULT_NETWORK") or f"{seen.ports.deployment.project}_default"


def network_ranges(seen: Evidence, network: str) -> tuple[str, ...]:
    """Return the ranges of addresses of a network."""
    return seen.once(f"subnets of {network}", lambda: seen.inspection.engine.subnets(network))


def _is_within(network: str, ranges: Sequence[str]) -> bool:
    inner = ip_network(network, strict=False)
    return any(_covers(ip_network(one, strict=False), inner) for one in ranges)


def _covers(outer: IPv4Network | IPv6Network, inner: IPv4Network | IPv6Network) -> bool:
    if isinstance(outer, IPv4Network):
        return isinstance(inner, IPv4Network) and inner.subnet_of(outer)
    return isinstance(inner, IPv6Network) and inner.subnet_of(outer)


def _variable(facts: ReleaseFacts) -> str:
    """Return the variable by which nginx of this release answers workers by http; empty without one."""
    return INTERNAL_HTTP if facts.has_internal_http else ALLOW_HTTP if facts.allows_http else ""


def _is_on(values: Values, name: str) -> bool:
    return values.get(name, "0").lower() in YES
