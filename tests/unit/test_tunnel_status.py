"""The tunnel to a deployment: is it running, is it connected, does it lead to the right port."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import cast

import pytest

from qfc.operations.tunnel import TunnelStatus, tunnel_status
from qfc.stack.model import Tunnel, TunnelRoute, Verdict
from qfc.stack.ports import Api, Ports
from twins import MemoryApi

HOST = "field.example.org"
RUNS = Tunnel("container", "cloudflared", True, connections=4, metrics="127.0.0.1:20241")
GOOD = "https://localhost:8443"


@dataclass
class Server:
    """A deployment with some tunnels that answers on some of its routes; nothing in it is secret."""

    tunnels_found: tuple[Tunnel, ...]
    routes: Mapping[str, Api]
    env: Mapping[str, str] = field(
        default_factory=lambda: {"QFIELDCLOUD_HOST": HOST, "WEB_HTTP_PORT": "8080", "WEB_HTTPS_PORT": "8443"}
    )

    @property
    def deployment(self) -> Server:
        return self

    @property
    def api(self) -> MemoryApi:
        made = MemoryApi({})
        made.url = f"https://{HOST}:8443"
        return made

    @property
    def settings(self) -> Server:
        return self

    @property
    def tunnels(self) -> Server:
        return self

    def values(self) -> Mapping[str, str]:
        return self.env

    def find(self) -> tuple[Tunnel, ...]:
        return self.tunnels_found

    def legs(self) -> Mapping[str, Api]:
        return self.routes


def api(status: int | None = 200) -> MemoryApi:
    """Return a route on which the server answers with a status; None for an unreachable one."""
    made = MemoryApi({"/api/v1/status/": (status or 200, b"{}")})
    made.up = status is not None
    return made


def leading_to(*services: str, hostname: str = HOST) -> Tunnel:
    return replace(RUNS, routes=tuple(TunnelRoute(hostname, service) for service in services))


def looked(*tunnels: Tunnel, public: int | None = 200, nginx: int | None = 200, **env: str) -> TunnelStatus:
    server = Server(tunnels, {"app": api(), "nginx": api(nginx), "public": api(public)})
    server.env = {**server.env, **env}
    return tunnel_status(cast(Ports, server))


def test_a_tunnel_that_leads_to_the_right_port_is_ok() -> None:
    status = looked(leading_to(GOOD))
    assert (status.verdict, status.problems, status.service, status.host) == (Verdict.OK, (), GOOD, HOST)
    assert [(side.name, side.status) for side in status.sides] == [("public", 200), ("nginx", 200)]


@pytest.mark.parametrize("service", [GOOD, "https://nginx:443", "https://nginx", "https://127.0.0.1:8443"])
def test_the_ports_inside_and_outside_are_told_apart(service: str) -> None:
    assert looked(leading_to(service)).problems == ()


@pytest.mark.parametrize("service", ["https://localhost", "https://nginx:80"])
def test_usual_ports_are_those_of_a_deployment_that_names_none(service: str) -> None:
    server = Server((leading_to(service),), {"public": api()}, {"QFIELDCLOUD_HOST": HOST})
    problems = tunnel_status(cast(Ports, server)).problems
    assert bool(problems) is (service == "https://nginx:80")


@pytest.mark.parametrize(
    ("service", "told"),
    [
        ("https://localhost:443", "leads to https://localhost:443; nginx speaks HTTPS on port 8443"),
        ("https://nginx:8443", "nginx speaks HTTPS on port 443"),
        ("https://localhost:8080", "nginx speaks HTTPS on port 8443"),
        ("http://localhost:8080", "a loop. Use https:// and port 8443"),
        ("http://nginx", "a loop. Use https:// and port 443"),
        ("http://nginx:80", "a loop. Use https:// and port 443"),
        ("http://localhost:8443", "nginx speaks HTTPS on port 8443"),
        ("http://app:8000", "nginx listens on ports 8080 and 8443"),
        ("tcp://localhost:8000", "nginx listens on ports 8080 and 8443"),
        ("unix:/run/app.sock", "nginx listens on ports 8080 and 8443"),
        ("http_status:404", "answers 404 itself"),
    ],
)
def test_a_tunnel_that_leads_elsewhere_is_told(service: str, told: str) -> None:
    status = looked(leading_to(service))
    (problem,) = status.problems
    assert told in problem
    assert status.verdict is Verdict.DEGRADED


@pytest.mark.parametrize("hostname", [HOST, "*.example.org", "*", ""])
def test_the_first_rule_for_the_host_counts(hostname: str) -> None:
    routes = (
        TunnelRoute("other.example.org", "http://other"),
        TunnelRoute(hostname, GOOD),
        TunnelRoute("", "http://x"),
    )
    assert looked(replace(RUNS, routes=routes)).service == GOOD


@pytest.mark.parametrize("hostname", ["other.example.org", "*.example.com", "example.org", "*.field.example.org"])
def test_a_tunnel_without_a_rule_for_the_host_is_told(hostname: str) -> None:
    status = looked(leading_to(GOOD, hostname=hostname))
    assert (status.service, status.problems) == (None, ("The tunnel has no rule for this host name.",))


def test_rules_that_nobody_can_read_are_no_problem() -> None:
    assert looked(RUNS).problems == ()


@pytest.mark.parametrize(
    ("tunnel", "told"),
    [
        (replace(RUNS, running=False, connections=None), "cloudflared is not running."),
        (replace(RUNS, connections=0), "cloudflared is running but has no connection to Cloudflare."),
    ],
)
def test_a_tunnel_that_is_stopped_or_not_connected_is_down(tunnel: Tunnel, told: str) -> None:
    status = looked(tunnel)
    assert (status.verdict, status.problems) == (Verdict.DOWN, (told,))


def test_a_tunnel_that_does_not_say_how_it_is_connected_is_not_ok() -> None:
    assert looked(replace(RUNS, connections=None)).verdict is Verdict.UNKNOWN


def test_a_server_that_answers_but_not_through_the_tunnel_is_told_once() -> None:
    status = looked(leading_to(GOOD), public=502)
    assert status.problems == ("The server answers, but not at http://memory: answered 502.",)
    assert status.verdict is Verdict.DEGRADED


def test_a_server_that_does_not_answer_at_all_is_told_for_each_side() -> None:
    status = looked(leading_to(GOOD), public=None, nginx=500)
    assert status.problems == ("public: http://memory does not answer.", "nginx: answered 500.")
    assert (status.sides[0].status, status.sides[0].latency_ms) == (None, None)


def test_ways_that_are_not_there_are_left_out() -> None:
    server = Server((leading_to(GOOD),), {"app": api()})
    assert tunnel_status(cast(Ports, server)).sides == ()
