"""Cloudflare tunnels on a deployment's host: their rules, and where their metrics are."""

from __future__ import annotations

import json
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime

import pytest

from qfc.drivers.deployment.tunnels import (
    CloudflareTunnels,
    metrics_place,
    option,
    routes_of_file,
    routes_of_log,
)
from qfc.drivers.docker.engine import Engine
from qfc.drivers.routes.address import Place
from qfc.drivers.routes.forwards import Forwards
from qfc.errors import UnreachableError
from qfc.stack.model import Tunnel, TunnelRoute
from twins import MemoryHost

CONFIG = """tunnel: 6ff42ae2
credentials-file: /etc/cloudflared/6ff42ae2.json
ingress:
  - hostname: field.example.org
    service: https://nginx:443
    originRequest: {noTLSVerify: true}
  - service: http_status:404
"""
GIVEN = {
    "ingress": [
        {"hostname": "field.example.org", "originRequest": {}, "service": "https://nginx:443"},
        {"service": "http_status:404"},
    ],
    "warp-routing": {"enabled": False},
}
ROUTES = (TunnelRoute("field.example.org", "https://nginx:443"), TunnelRoute("", "http_status:404"))


def told(document: object) -> str:
    quoted = json.dumps(document).replace('"', '\\"')
    return f'2026-05-04T12:00:00Z INF Updated to new configuration config="{quoted}" version=3'


def test_rules_of_a_configuration_file() -> None:
    assert routes_of_file(CONFIG) == ROUTES


@pytest.mark.parametrize(
    ("text", "routes"),
    [
        ("url: http://localhost:8000\n", (TunnelRoute("", "http://localhost:8000"),)),
        ("ingress: []\n", ()),
        ("tunnel: x\n", ()),
        ("ingress:\n  - hostname: a.org\n", (TunnelRoute("a.org", ""),)),
        ("", ()),
        ("just words", ()),
        ("- a\n- b\n", ()),
        ("a: [\n", ()),
        ("ingress: words\n", ()),
        ("ingress: 5\n", ()),
        ("ingress:\n  - words\n  - service: http://a\n", (TunnelRoute("", "http://a"),)),
    ],
)
def test_other_configuration_files(text: str, routes: tuple[TunnelRoute, ...]) -> None:
    assert routes_of_file(text) == routes


def test_rules_that_came_from_the_dashboard_stand_in_the_log_and_the_last_count() -> None:
    older = told({"ingress": [{"service": "http://old"}]})
    log = "\n".join(["INF Starting tunnel", older, told(GIVEN), "INF Registered tunnel connection connIndex=0"])
    assert routes_of_log(log) == ROUTES
    assert routes_of_log(f"config={json.dumps(GIVEN)}") == ROUTES


@pytest.mark.parametrize("log", ["", "INF Starting tunnel", 'config="{\\"ingress\\":[', 'config="{nothing}"'])
def test_a_log_without_rules_has_none(log: str) -> None:
    assert routes_of_log(log) == ()


def test_a_line_that_was_cut_off_does_not_hide_the_one_before() -> None:
    assert routes_of_log(f"{told(GIVEN)}\nconfig={{broken}}") == ROUTES


@pytest.mark.parametrize(
    ("words", "value"),
    [
        ("tunnel --config /a.yml run", "/a.yml"),
        ("tunnel --config=/a.yml run", "/a.yml"),
        ("tunnel --config=", ""),
        ("tunnel --config", None),
        ("tunnel --config-file /a.yml", None),
        ("tunnel run", None),
    ],
)
def test_an_option_is_found_in_either_form(words: str, value: str | None) -> None:
    assert option(words.split(), "--config") == value


@pytest.mark.parametrize(
    ("words", "environment", "place"),
    [
        ("--metrics 127.0.0.1:2000", {}, Place("127.0.0.1", 2000)),
        ("--metrics=0.0.0.0:2000", {"TUNNEL_METRICS": "a:1"}, Place("0.0.0.0", 2000)),
        ("--metrics [::1]:2000", {}, Place("::1", 2000)),
        ("--metrics :2000", {}, Place("", 2000)),
        ("run", {"TUNNEL_METRICS": "localhost:3000"}, Place("localhost", 3000)),
        ("--metrics nowhere", {}, None),
        ("run", {}, None),
    ],
)
def test_where_the_metrics_are(words: str, environment: dict[str, str], place: Place | None) -> None:
    assert metrics_place(words.split(), environment) == place


class Host(MemoryHost):
    """A host with a cloudflared outside containers, whose metrics cannot be reached."""

    def __init__(self, process: str, config: str) -> None:
        super().__init__()
        self.forwarded: list[tuple[str, int]] = []
        self.programs = {
            "docker": lambda *_: (0, "", ""),
            "sh": lambda argv, _: (0, process if "/proc/" in argv[2] else config, ""),
            "journalctl": lambda *_: (0, told(GIVEN), ""),
        }

    @contextmanager
    def forward(self, address: str, port: int) -> Generator[tuple[str, int]]:
        self.forwarded.append((address, port))
        raise UnreachableError("Nothing listens.")
        yield address, port


def found(host: Host) -> Sequence[Tunnel]:
    engine = Engine(host)  # pyright: ignore[reportArgumentType]  (nothing is streamed)
    return CloudflareTunnels(engine, Forwards(host)).find()  # pyright: ignore[reportArgumentType]


def test_a_process_is_found_with_the_rules_of_its_file() -> None:
    host = Host("812 1777889100 cloudflared --config /etc/cloudflared/config.yml --metrics 127.0.0.1:9 tunnel run \n",
                f"@ /etc/cloudflared/config.yml\n{CONFIG}")  # fmt: skip
    (tunnel,) = found(host)
    assert (tunnel.kind, tunnel.name, tunnel.running) == ("process", "pid 812", True)
    assert tunnel.since == datetime(2026, 5, 4, 10, 5, tzinfo=UTC)
    assert (tunnel.config, tunnel.routes, tunnel.connections) == ("/etc/cloudflared/config.yml", ROUTES, None)
    assert host.forwarded == [("127.0.0.1", 9)]


@pytest.mark.parametrize("command", ["cloudflared tunnel --label it's run ", "cloudflared tunnel run --token x ", ""])
def test_a_process_without_a_file_is_found_with_the_rules_of_its_log(command: str) -> None:
    (tunnel,) = found(Host(f"812 1777889100 {command}\n", ""))
    assert (tunnel.config, tunnel.routes) == (None, ROUTES)


def test_a_host_without_a_tunnel_has_none() -> None:
    assert found(Host("", "")) == ()
