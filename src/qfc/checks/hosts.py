"""The host of a stack: its disks, its name, its clock."""

from __future__ import annotations

from datetime import timedelta
from ipaddress import ip_address
from urllib.parse import urlsplit

from ..errors import NotFoundError
from ..stack.forecast import forecast
from ..stack.model import Capability, Inodes, Vantage
from ..stack.tunnels import faults_of
from .base import Check, DeploymentCheck, Severity
from .evidence import Evidence, named

SOON = timedelta(days=7)
#: An older measurement says nothing about the present.
FRESH = timedelta(days=2)
#: Logs are reported from this size, in bytes, and this share of the disk.
LARGE_BYTES, LARGE_SHARE = 10**9, 0.05
#: Shares of free inodes below which the disk can hold few more files, and no more files.
FEW_INODES, NO_INODES = 0.05, 0.005
SKEW_S = 30.0
#: Names that are reserved for tests, examples and local networks, and resolve to nothing in public.
RESERVED = (".test", ".example", ".localhost", ".invalid", ".local", "example.org", "example.com", "example.net")


class FullSoon(Check):
    """A15, before it happens."""

    id = "A15-soon"
    title = "The disk will be full within a week"
    severity = Severity.WARNING
    fix = "See what uses the space: qfc services disk; free some, on a deployment with: qfc services prune"

    def look(self, seen: Evidence) -> str | None:
        """Extrapolate the measurements of each disk."""
        now, samples = seen.ports.clock.now(), seen.ports.disk_history.samples()
        fresh = sorted({one.disk for one in samples if now - one.at < FRESH})
        lines = {disk: forecast([one for one in samples if one.disk == disk]).full_at for disk in fresh}
        found = [f"{disk} on {at:%Y-%m-%d}" for disk, at in lines.items() if at is not None and at - now < SOON]
        return f"Full at the present rate: {', '.join(found)}." if found else None


class TunnelDown(DeploymentCheck):
    """Behind a tunnel, devices reach nothing while it is gone; from the server, all looks well."""

    id = "tunnel"
    title = "The tunnel to the server is down"
    severity = Severity.CRITICAL
    fix = "See where it breaks: qfc tunnel status; then restart cloudflared"

    def look(self, seen: Evidence) -> str | None:
        """Look for each cloudflared of the host, and ask it for its connections."""
        faults = faults_of(seen.ports.deployment.tunnels.find())
        return " ".join(faults) if faults else None


class Unencrypted(Check):
    """B09: on a network, passwords can be read on their way."""

    id = "B09-none"
    title = "Devices reach the server without TLS"
    severity = Severity.WARNING
    fix = "Bind it to 127.0.0.1 and put a proxy with TLS in front; see howto/network in the documentation"

    def applies(self, seen: Evidence) -> bool:
        """Return whether the server itself listens: those of containers have an nginx."""
        return seen.ports.offers(Capability.PROCESSES)

    def look(self, seen: Evidence) -> str | None:
        """Read the address for devices."""
        address = urlsplit(seen.ports.api.url)
        if address.scheme != "http" or _is_this_machine(address.hostname or ""):
            return None
        return f"Devices connect to {seen.ports.api.url}: passwords and tokens cross the network unencrypted."


def _is_this_machine(host: str) -> bool:
    """Return whether only this machine reaches an address. A name is one of its own."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return True


class LargeLogs(DeploymentCheck):
    """A15: official deployments keep up to 10 GB of logs per container, and the database logs every statement."""

    id = "A15-logs"
    title = "Container logs use much of the disk"
    severity = Severity.WARNING
    fix = "Limit them in an override file (logging: options: max-size, max-file); then: qfc services recreate"

    def look(self, seen: Evidence) -> str | None:
        """Add up the sizes of the logs."""
        parts = seen.inspection.host.logs()
        if parts and all(one.bytes is None for one in parts):
            raise NotFoundError("Only root can read the sizes of container logs.")
        total = sum(one.bytes or 0 for one in parts)
        if total < max(LARGE_BYTES, LARGE_SHARE * seen.ports.runtime.disk().total_bytes):
            return None
        largest = sorted(parts, key=lambda one: -(one.bytes or 0))
        listed = named(f"{one.name} {(one.bytes or 0) / 1e9:.1f} GB" for one in largest)
        return f"{total / 1e9:.1f} GB in total: {listed}."


class NoInodes(DeploymentCheck):
    """A15: a disk with free space accepts no new files."""

    id = "A15-no-inodes"
    title = "The disk has no inodes left"
    severity = Severity.CRITICAL
    fix = "Remove small files (count: df -i); leftovers of jobs: qfc doctor --fix; of images: qfc services prune"
    least, most = 0.0, NO_INODES

    def look(self, seen: Evidence) -> str | None:
        """Read the share of free inodes."""
        disks = seen.once("inodes", lambda: seen.inspection.host.inodes())
        found = [one for one in disks if one.total and self.least <= one.free / one.total < self.most]
        return f"Free inodes: {named(map(self._free, found))}." if found else None

    def _free(self, one: Inodes) -> str:
        return f"{one.free} of {one.total} on {one.name}"


class FewInodes(NoInodes):
    """A15, before it happens."""

    id = "A15-inodes"
    title = "The disk has few inodes left"
    severity = Severity.WARNING
    least, most = NO_INODES, FEW_INODES


class NameNotResolved(DeploymentCheck):
    """G03: devices report that there is no such server."""

    id = "G03-dns"
    title = "The public host name does not resolve"
    severity = Severity.WARNING
    fix = "Add a DNS record for the name, or correct QFIELDCLOUD_HOST in .env"

    def look(self, seen: Evidence) -> str | None:
        """Resolve the public name on the host."""
        name = seen.settings().get("QFIELDCLOUD_HOST", "").lower()
        if not _is_public(name) or seen.inspection.network.resolves(name, Vantage.HOST):
            return None
        return f"The host finds no address for {name}."


class ClockOff(DeploymentCheck):
    """Tokens, signed requests to the store and certificates depend on the time."""

    id = "clock"
    title = "The host's clock differs from this machine's clock"
    severity = Severity.WARNING
    fix = "Synchronise both clocks by NTP: timedatectl set-ntp true"

    def look(self, seen: Evidence) -> str | None:
        """Compare both clocks."""
        offset = seen.inspection.host.clock_offset_s()
        if abs(offset) <= SKEW_S:
            return None
        return f"The host's clock is {abs(offset):.0f} s {'ahead' if offset > 0 else 'behind'}."


def _is_public(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return "." in name and not name.endswith(RESERVED)
    return False


HOSTS: tuple[Check, ...] = (
    TunnelDown(),
    NoInodes(),
    FewInodes(),
    FullSoon(),
    Unencrypted(),
    LargeLogs(),
    NameNotResolved(),
    ClockOff(),
)
