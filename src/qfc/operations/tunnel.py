"""The tunnel in front of a deployment: whether it runs, is connected and leads to the right port."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from ..errors import QfcError
from ..stack.api_status import STATUS
from ..stack.model import Tunnel, Verdict
from ..stack.ports import Api, Ports
from ..stack.tunnels import faults_of
from .certs import public_name

ANSWER_S = 10.0


@dataclass(frozen=True)
class Side:
    """The server's answer at one address: through the tunnel, or without it."""

    name: str
    url: str
    status: int | None
    latency_ms: float | None
    detail: str


@dataclass(frozen=True)
class TunnelStatus:
    """The tunnels of the host, and the server's answers. `service` is where the tunnel leads for this host name."""

    host: str
    tunnels: tuple[Tunnel, ...]
    service: str | None
    sides: tuple[Side, ...]
    verdict: Verdict
    problems: tuple[str, ...]


def tunnel_status(ports: Ports) -> TunnelStatus:
    """Check every cloudflared, and probe the server through the tunnel and without it."""
    deployment = ports.deployment
    settings = deployment.settings.values()
    host = public_name(ports)
    tunnels = deployment.tunnels.find()
    legs = deployment.legs()
    sides = tuple(_side(name, legs[name]) for name in ("public", "nginx") if name in legs)
    service = _service_for(host, tunnels)
    problems = [*faults_of(tunnels), *_of_route(service, settings, tunnels), *_of_sides(sides)]
    return TunnelStatus(host, tunnels, service, sides, _verdict(tunnels, problems), tuple(problems))


def _side(name: str, api: Api) -> Side:
    try:
        answer = api.get(STATUS, timeout_s=ANSWER_S)
    except QfcError as error:
        return Side(name, api.url, None, None, error.message.rstrip("."))
    return Side(name, api.url, answer.status, round(answer.seconds * 1000, 1), f"answered {answer.status}")


def _service_for(host: str, tunnels: tuple[Tunnel, ...]) -> str | None:
    """Return where the first rule for this host, or for all hosts, leads."""
    for tunnel in tunnels:
        for route in tunnel.routes:
            if route.hostname in ("", "*", host) or (
                route.hostname.startswith("*.") and host.endswith(route.hostname[1:])
            ):
                return route.service
    return None


def _of_route(service: str | None, settings: Mapping[str, str], tunnels: tuple[Tunnel, ...]) -> list[str]:
    """Compare where the tunnel leads with the ports of nginx on the host."""
    if not any(tunnel.routes for tunnel in tunnels):
        return []
    if service is None:
        return ["The tunnel has no rule for this host name."]
    if service.startswith("http_status:"):
        return [f"The tunnel answers {service.removeprefix('http_status:')} itself; it does not lead to the server."]
    return _of_port(service, settings.get("WEB_HTTP_PORT", "80"), settings.get("WEB_HTTPS_PORT", "443"))


def _of_port(service: str, http: str, https: str) -> list[str]:
    parts = urlsplit(service)
    try:
        port = str(parts.port or {"http": 80, "https": 443}.get(parts.scheme, 0))
    except ValueError:
        return [f"The tunnel leads to {service}, which is not a valid address."]
    inside = {"nginx": ("80", "443")}.get(parts.hostname or "", (http, https))
    if (parts.scheme == "https") is not (port == inside[1]):
        return [f"The tunnel leads to {service}; nginx speaks HTTPS on port {inside[1]}."]
    if parts.scheme == "http" and port == inside[0]:
        return [f"The tunnel leads to {service}, where nginx redirects to HTTPS: a loop. Use https:// and port "
                f"{inside[1]}, with noTLSVerify for a self-signed certificate."]  # fmt: skip
    return (
        []
        if port in inside
        else [f"The tunnel leads to {service}; nginx listens on ports {inside[0]} and {inside[1]}."]
    )


def _of_sides(sides: tuple[Side, ...]) -> list[str]:
    by_name = {side.name: side for side in sides}
    public, local = by_name.get("public"), by_name.get("nginx")
    if local is not None and local.status == 200 and public is not None and public.status != 200:
        return [f"The server answers, but not at {public.url}: {public.detail}."]
    return [f"{side.name}: {side.detail}." for side in sides if side.status != 200]


def _verdict(tunnels: tuple[Tunnel, ...], problems: list[str]) -> Verdict:
    if problems:
        return Verdict.DOWN if any(not one.running or one.connections == 0 for one in tunnels) else Verdict.DEGRADED
    if any(one.connections is None for one in tunnels):
        return Verdict.UNKNOWN
    return Verdict.OK
