"""What is wrong with the tunnels of a host. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from .model import Tunnel


def faults_of(tunnels: Sequence[Tunnel]) -> list[str]:
    """Return a sentence for each tunnel that does not run although it should, or runs without a connection.

    What stopped beside one that is connected is a leftover: the tunnel that it was has been replaced.
    """
    is_replaced = any(one.running and one.connections for one in tunnels)
    stopped = [one for one in tunnels if not one.running and one.wanted]
    found = [] if is_replaced else [f"{one.name} is not running." for one in stopped]
    return found + [f"{one.name} is running but has no connection to Cloudflare." for one in tunnels if is_cut(one)]


def is_cut(tunnel: Tunnel) -> bool:
    """Return whether a tunnel runs, and reports that nothing is connected."""
    return tunnel.running and tunnel.connections == 0
