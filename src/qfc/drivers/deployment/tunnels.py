"""A Cloudflare tunnel in front of a deployment: every cloudflared of the host, as container, service or process.

Its configuration file has the targets of its routes; a tunnel that is configured in Cloudflare's dashboard writes its
configuration to its log. Its metrics address reports the number of connections to Cloudflare (`/ready`).
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, cast

from ...errors import QfcError
from ...stack.model import Tunnel, TunnelRoute
from ...stack.ports import Tunnels
from ..api import HttpApi, Route
from ..docker.containers import Container, container
from ..docker.engine import Engine
from ..routes.address import Place
from ..routes.forwards import Forwards

NAME = "cloudflared"
#: The default ports of its metrics: the first free one is used; older releases used any port.
METRICS = tuple(range(20241, 20246))
#: Policies of containers that are to run whenever the engine runs.
RESTARTED = ("always", "unless-stopped")
FILES = ("/etc/cloudflared/config.yml", "/usr/local/etc/cloudflared/config.yml", "$HOME/.cloudflared/config.yml")
_GIVEN = re.compile(r'config="?(\{.*\})"?')
_PROCESSES = """
for place in /proc/[0-9]*; do
    pid=${place#/proc/}
    [ "$(cat "$place/comm" 2>/dev/null)" = cloudflared ] || continue
    grep -q -E 'docker|containerd|kubepods' "$place/cgroup" 2>/dev/null && continue
    echo "$pid $(stat -c %Y "$place") $(tr '\\0' ' ' <"$place/cmdline")"
done
"""
_STOPPED = f"""
systemctl is-enabled --quiet {NAME} 2>/dev/null && ! systemctl is-active --quiet {NAME} && echo stopped
"""
# Any account of the host may have written the path into a command line: nothing of it is run.
_CONFIG = """
for path; do
    case $path in '$HOME'/*) path=$HOME${path#'$HOME'} ;; esac
    [ ! -r "$path" ] || { echo "@ $path"; cat "$path"; exit; }
done
"""


class CloudflareTunnels(Tunnels):
    """Finds the tunnels on a deployment's host."""

    def __init__(self, engine: Engine, forwards: Forwards) -> None:
        self._engine, self._forwards = engine, forwards

    def find(self) -> tuple[Tunnel, ...]:
        return (*map(self._of_container, self._containers()), *self._processes())

    def _containers(self) -> list[Container]:
        ids = self._engine.query(["docker", "ps", "-a", "--no-trunc", "--format", "{{.ID}} {{.Image}} {{.Command}}"])
        found = [line.split()[0] for line in ids.stdout.splitlines() if NAME in line]
        if not found:
            return []
        printed = self._engine.query(["docker", "inspect", "--format", "{{json .}}", *found], check=False).stdout
        return [container(json.loads(line)) for line in printed.splitlines() if line.startswith("{")]

    def _of_container(self, one: Container) -> Tunnel:
        argv = self._engine.query(["docker", "inspect", "--format", "{{json .Args}}", one.id]).stdout
        words = [str(word) for word in cast("list[object]", json.loads(argv) or [])]
        running = one.status == "running"
        config, routes = self._container_routes(one, words)
        place = metrics_place(words, one.environment) or Place("", METRICS[0])
        address = one.address if place.address in ("", "0.0.0.0") else place.address
        ready = self._ready([Place(address, place.port)]) if running and address else None
        found = _tunnel("container", one.name, running, one.started_at if running else None, ready, config, routes)
        return replace(found, wanted=one.restart_policy in RESTARTED)

    def _container_routes(self, one: Container, words: Sequence[str]) -> tuple[str | None, tuple[TunnelRoute, ...]]:
        inner = option(words, "--config") or "/etc/cloudflared/config.yml"
        outer = next((f"{there}{inner.removeprefix(here)}" for here, there in one.mounts.items()
                      if inner == here or inner.startswith(f"{here.rstrip('/')}/")), None)  # fmt: skip
        if outer:
            _, text = self._read_config([outer])
            if text:
                return outer, routes_of_file(text)
        said = self._engine.query(["docker", "logs", "--tail", "500", one.id], check=False)
        return None, routes_of_log(f"{said.stdout}\n{said.stderr}")

    def _processes(self) -> list[Tunnel]:
        printed = self._engine.query(["sh", "-c", _PROCESSES]).stdout
        return [self._of_process(line) for line in printed.splitlines()] or self._stopped_service()

    def _stopped_service(self) -> list[Tunnel]:
        """Return the service of the usual installation, if it is to start with the machine and does not run."""
        printed = self._engine.query(["sh", "-c", _STOPPED], check=False).stdout
        return [_tunnel("service", NAME, False, None, None, None, ())] if printed.strip() else []

    def _of_process(self, line: str) -> Tunnel:
        pid, since, command = line.split(" ", 2)
        words = command.split()
        named = option(words, "--config")
        path, text = self._read_config([named] if named else list(FILES))
        routes = routes_of_file(text) if text else self._journal_routes()
        place = metrics_place(words, {})
        ready = self._ready([place] if place else [Place("127.0.0.1", port) for port in METRICS])
        began = datetime.fromtimestamp(int(since), UTC)
        return _tunnel("process", f"pid {pid}", True, began, ready, path, routes)

    def _journal_routes(self) -> tuple[TunnelRoute, ...]:
        done = self._engine.query(["journalctl", "-u", NAME, "-n", "500", "-o", "cat", "--no-pager"], check=False)
        return routes_of_log(done.stdout)

    def _read_config(self, paths: list[str]) -> tuple[str | None, str]:
        printed = self._engine.query(["sh", "-c", _CONFIG, "sh", *paths], check=False).stdout
        head, _, text = printed.partition("\n")
        return (head.removeprefix("@ "), text) if head.startswith("@ ") else (None, "")

    def _ready(self, candidates: Sequence[Place]) -> tuple[str, int] | None:
        """Return the address that answered, and the number of connections to Cloudflare."""
        for place in candidates:
            try:
                here = self._forwards.to(place)
                answer = HttpApi("http://cloudflared", Route(here.address, here.port)).get("/ready", timeout_s=3)
            except QfcError:
                continue
            document: Any = answer.document
            if isinstance(document, dict) and "readyConnections" in document:
                return f"{place.address}:{place.port}", int(cast("dict[str, Any]", document)["readyConnections"])
        return None


def _tunnel(
    kind: str,
    name: str,
    running: bool,
    since: datetime | None,
    ready: tuple[str, int] | None,
    config: str | None,
    routes: tuple[TunnelRoute, ...],
) -> Tunnel:
    metrics, connections = ready or (None, None)
    return Tunnel(kind, name, running, since, connections, metrics, config, routes)


def option(words: Sequence[str], name: str) -> str | None:
    """Return the value of an option, written `--name value` or `--name=value`."""
    for number, word in enumerate(words):
        if word == name and number + 1 < len(words):
            return words[number + 1]
        if word.startswith(f"{name}="):
            return word.partition("=")[2]
    return None


def metrics_place(words: Sequence[str], environment: Mapping[str, str]) -> Place | None:
    """Return the configured address of the metrics."""
    address, _, port = (option(words, "--metrics") or environment.get("TUNNEL_METRICS", "")).rpartition(":")
    return Place(address.strip("[]"), int(port)) if port.isdigit() else None


def routes_of_file(text: str) -> tuple[TunnelRoute, ...]:
    """Read the rules of a configuration file; an invalid file has none."""
    import yaml

    try:
        document = yaml.safe_load(text)
    except yaml.YAMLError:
        return ()
    return _routes(cast("dict[str, Any]", document)) if isinstance(document, dict) else ()


def routes_of_log(said: str) -> tuple[TunnelRoute, ...]:
    """Read the rules that a tunnel last received from Cloudflare."""
    for line in reversed(said.splitlines()):
        found = _GIVEN.search(line)
        if found:
            text = found[1].replace('\\"', '"')
            try:
                return _routes(json.loads(text))
            except ValueError:
                continue
    return ()


def _routes(document: Mapping[str, Any]) -> tuple[TunnelRoute, ...]:
    written: Any = document.get("ingress")
    rules = cast("list[Any]", written) if isinstance(written, list) else []
    whole = [cast("dict[str, Any]", one) for one in rules if isinstance(one, dict)]
    found = tuple(TunnelRoute(str(one.get("hostname") or ""), str(one.get("service") or "")) for one in whole)
    single = document.get("url")
    return found or ((TunnelRoute("", str(single)),) if single else ())
