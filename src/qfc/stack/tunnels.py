"""What is wrong with the tunnels of a host. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from .model import Tunnel


def faults_of(tunnels: Sequence[Tunnel]) -> list[str]:
    """Return a sentence for each tunnel that does not run, or runs without a connection."""
    found = [f"{one.name} is not running." for one in tunnels if not one.running]
    return found + [f"{one.name} is running but has no connection to Cloudflare." for one in tunnels if is_cut(one)]


def is_cut(tunnel: Tunnel) -> bool:
    """Return whether a tunnel runs, and reports that nothing is connected."""
    return tunnel.running and tunnel.connections == 0
