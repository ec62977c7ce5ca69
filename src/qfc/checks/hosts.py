"""The host of a stack: what is going to fill it, its name, its clock."""

from __future__ import annotations

from datetime import timedelta
from ipaddress import ip_address

from ..errors import NotFoundError
from ..stack.forecast import forecast
from ..stack.model import Inodes, Vantage
from .base import Check, DeploymentCheck, Severity
from .evidence import Evidence, named

SOON = timedelta(days=7)
#: A measurement that is older says nothing of now.
FRESH = timedelta(days=2)
#: Logs of that size, in bytes, and that share of the disk are worth a word.
LARGE_BYTES, LARGE_SHARE = 10**9, 0.05
#: Shares of the number of files that are left.
FEW_INODES, NO_INODES = 0.05, 0.005
SKEW_S = 30.0
#: Names that lead nowhere by agreement: those of tests and examples.
RESERVED = (".test", ".example", ".localhost", ".invalid", ".local", "example.org", "example.com", "example.net")


class FullSoon(Check):
    """A15, before it happens."""

    id = "A15-soon"
    title = "The disk will be full within a week"
    severity = Severity.WARNING
    fix = "What takes it: qfc services disk; qfc services prune"

    def look(self, seen: Evidence) -> str | None:
        """Draw the line through what was measured of each disk."""
        now, samples = seen.ports.clock.now(), seen.ports.disk_history.samples()
        fresh = sorted({one.disk for one in samples if now - one.at < FRESH})
        lines = {disk: forecast([one for one in samples if one.disk == disk]).full_at for disk in fresh}
        found = [f"{disk} on {at:%Y-%m-%d}" for disk, at in lines.items() if at is not None and at - now < SOON]
        return f"If it goes on like this: {', '.join(found)}." if found else None


class LargeLogs(DeploymentCheck):
    """A15: official deployments keep up to 10 GB of each container, and the database logs every statement."""

    id = "A15-logs"
    title = "The logs of containers take much of the disk"
    severity = Severity.WARNING
    fix = "Limit them in an override file (logging: options: max-size, max-file); then qfc services recreate"

    def look(self, seen: Evidence) -> str | None:
        """Add them up."""
        parts = seen.inspection.host.logs()
        if parts and all(one.bytes is None for one in parts):
            raise NotFoundError("Only root may see how large the logs of containers are.")
        total = sum(one.bytes or 0 for one in parts)
        if total < max(LARGE_BYTES, LARGE_SHARE * seen.ports.runtime.disk().total_bytes):
            return None
        largest = sorted(parts, key=lambda one: -(one.bytes or 0))
        told = named(f"{one.name} {(one.bytes or 0) / 1e9:.1f} GB" for one in largest)
        return f"{total / 1e9:.1f} GB: {told}."


class NoInodes(DeploymentCheck):
    """A15: a disk with space left takes no file any more."""

    id = "A15-no-inodes"
    title = "The disk can hold no more files"
    severity = Severity.CRITICAL
    fix = "Remove many small files; see: df -i on the host, qfc doctor --fix for what jobs left, qfc services prune"
    least, most = 0.0, NO_INODES

    def look(self, seen: Evidence) -> str | None:
        """Look at the share that is left."""
        disks = seen.once("inodes", lambda: seen.inspection.host.inodes())
        found = [one for one in disks if one.total and self.least <= one.free / one.total < self.most]
        return f"Left: {named(map(self._told, found))}." if found else None

    def _told(self, one: Inodes) -> str:
        return f"{one.free} of {one.total} on {one.name}"


class FewInodes(NoInodes):
    """A15, its beginning."""

    id = "A15-inodes"
    title = "The disk can hold few more files"
    severity = Severity.WARNING
    least, most = NO_INODES, FEW_INODES


class NameLeadsNowhere(DeploymentCheck):
    """G03: devices say that there is no such server."""

    id = "G03-dns"
    title = "The public name leads nowhere"
    severity = Severity.WARNING
    fix = "Give the name an address in the DNS, or correct QFIELDCLOUD_HOST in .env"

    def look(self, seen: Evidence) -> str | None:
        """Look the name up on the host."""
        name = seen.settings().get("QFIELDCLOUD_HOST", "").lower()
        if not _is_public(name) or seen.inspection.network.resolves(name, Vantage.HOST):
            return None
        return f"The host finds no address for {name}."


class ClockOff(DeploymentCheck):
    """Tokens, signatures for the store and certificates are only good at their time."""

    id = "clock"
    title = "The host's clock differs from this machine's"
    severity = Severity.WARNING
    fix = "Let both keep time by NTP: timedatectl set-ntp true"

    def look(self, seen: Evidence) -> str | None:
        """Compare both."""
        offset = seen.inspection.host.clock_offset_s()
        if abs(offset) <= SKEW_S:
            return None
        return f"It is {abs(offset):.0f} s {'ahead' if offset > 0 else 'behind'}."


def _is_public(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return "." in name and not name.endswith(RESERVED)
    return False


HOSTS: tuple[Check, ...] = (NoInodes(), FewInodes(), FullSoon(), LargeLogs(), NameLeadsNowhere(), ClockOff())
