"""The certificate that clients see: check it against the file on disk, its name and its dates; renew it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar
from urllib.parse import urlsplit

from ..errors import QfcError
from ..stack.certificates import Sighting, days_left, judge, manages_nothing, verdict
from ..stack.findings import Finding, unknown
from ..stack.model import Certificate, Verdict
from ..stack.ports import Ports
from .guard import Options, guarded

Seen = TypeVar("Seen")


@dataclass(frozen=True)
class CertsStatus:
    """The served certificate, the one on disk (None where it cannot be read), and the findings."""

    host: str
    served: Certificate | None
    path: str | None
    on_disk: Certificate | None
    days_left: float | None
    key_fits: bool | None
    verdict: Verdict
    findings: tuple[Finding, ...]

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong."""
        return all(one.is_well for one in self.findings)


@dataclass(frozen=True)
class Renewed:
    """The outcome of a renewal. `changed`: a different certificate is served now. `said` is certbot's output.

    `unmanaged`: certbot has no certificate to renew; that of the deployment comes from elsewhere.
    """

    changed: bool
    not_after: datetime | None
    said: str
    dry_run: bool
    steps: tuple[str, ...]
    unmanaged: bool = False


def certs_status(ports: Ports) -> CertsStatus:
    """Compare the served certificate with the one on disk."""
    certificates = ports.deployment.certificates
    host = public_name(ports)
    unseen: list[Finding] = []
    served = _tried("served", certificates.served, unseen)
    found = _tried("file", certificates.on_disk, unseen)
    key_fits = _tried("key", certificates.key_fits, unseen) if found else None
    path, on_disk = found or (None, None)
    now = ports.clock.now()
    seen = Sighting(host, now, served, path or "", on_disk, key_fits)
    findings = (*unseen, *judge(seen))
    shown = served or on_disk
    days = round(days_left(shown, now), 1) if shown else None
    return CertsStatus(host, served, path, on_disk, days, key_fits, verdict(findings, seen), findings)


def public_name(ports: Ports) -> str:
    """Return the name by which clients reach the deployment: from the configuration, else from .env."""
    try:
        return urlsplit(ports.api.url).hostname or ""
    except QfcError:
        return ports.deployment.settings.values().get("QFIELDCLOUD_HOST", "")


def certs_renew(ports: Ports, options: Options, *, force: bool = False, reload_only: bool = False) -> Renewed:
    """Renew what is due, then reload nginx, but only after its configuration has passed a test."""
    certificates = ports.deployment.certificates
    before = _tried("served", certificates.served, [])
    said = ""
    with guarded(ports, "certs renew", target=ports.name, options=options) as guard:
        if not reload_only and guard.step("Renew the certificate with certbot" + ("" if force else ", if due")):
            said = certificates.renew(force=force)
        if guard.step("Test nginx's configuration and reload nginx"):
            certificates.reload()
        after = before if guard.dry_run else _tried("served", certificates.served, [])
        changed = (before.fingerprint if before else "") != (after.fingerprint if after else "")
        unmanaged = not changed and manages_nothing(said)
        unchanged = "certbot manages no certificate" if unmanaged else "the certificate has not changed"
        guard.result = "a new certificate is served" if changed else unchanged
    return Renewed(changed, after.not_after if after else None, said, guard.dry_run, guard.steps, unmanaged)


def _tried(name: str, ask: Callable[[], Seen], unseen: list[Finding]) -> Seen | None:
    try:
        return ask()
    except QfcError as error:
        unseen.append(unknown(name, error.message))
        return None
