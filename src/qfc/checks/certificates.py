"""The certificate that clients see, and the file that it comes from."""

from __future__ import annotations

from urllib.parse import urlsplit

from ..errors import NotFoundError, QfcError
from ..stack.certificates import (
    EXPIRED,
    EXPIRES_SOON,
    NO_CHAIN,
    NOT_SERVED,
    NOT_VALID_YET,
    OTHER_KEY,
    OTHER_NAME,
    PRIVATE,
    STAGING,
    UNTRUSTED,
    Rule,
    Sighting,
)
from ..stack.model import Certificate
from .base import Auto, Check, Severity
from .evidence import Evidence

NGINX = "nginx"
#: Validity of the self-signed certificate that replaces a missing one.
SELF_SIGNED_DAYS = 90


def sighting(seen: Evidence) -> Sighting:
    """Return what can be seen of the certificate. Raises QfcError when the served certificate cannot be read."""
    ports = seen.ports
    served = seen.once("certificate served", ports.deployment.certificates.served)
    path, on_disk = _file(seen)
    host = urlsplit(ports.api.url).hostname or ""
    return Sighting(host, ports.clock.now(), served, path, on_disk)


def _file(seen: Evidence) -> tuple[str, Certificate | None]:
    """Return the path and the certificate of the file that nginx uses; None where it cannot be read."""
    try:
        return seen.once("certificate on disk", seen.ports.deployment.certificates.on_disk)
    except QfcError:
        return "", None


class CertificateCheck(Check):
    """A check of the certificate; only deployments have one of their own."""

    severity = Severity.CRITICAL

    def applies(self, seen: Evidence) -> bool:
        """Return whether clients use https."""
        return seen.is_deployment and urlsplit(seen.ports.api.url).scheme == "https"


class RuleCheck(CertificateCheck):
    """A rule about the served certificate and the file that it comes from."""

    def __init__(self, rule: Rule) -> None:
        self.id, self.title, self.severity, self.fix = rule.id, rule.title, rule.severity, rule.fix  # pyright: ignore[reportAttributeAccessIssue]
        self._rule = rule

    def look(self, seen: Evidence) -> str | None:
        """Compare the served certificate with the time, the server's name and the file."""
        return self._rule.look(sighting(seen))


class NotServed(RuleCheck):
    """B10: the certificate was renewed, but nginx still serves the old one."""

    auto = Auto.SAFE

    def repair(self, seen: Evidence) -> None:
        """Reload nginx, after a test of its configuration."""
        seen.ports.deployment.certificates.reload()


class OtherKey(RuleCheck):
    """B18: nginx cannot start again."""

    def look(self, seen: Evidence) -> str | None:
        """Compare the private key with the certificate file."""
        path, on_disk = _file(seen)
        if on_disk is None:
            return None
        try:
            fits = seen.ports.deployment.certificates.key_fits()
        except NotFoundError as error:
            return error.message
        return self._rule.look(Sighting("", seen.ports.clock.now(), None, path, on_disk, fits))


class FileMissing(CertificateCheck):
    """B18: nginx cannot start again."""

    id = "B18"
    title = "The certificate file of nginx is missing"
    fix = "Point QFIELDCLOUD_TLS_CERT and _KEY to files inside nginx, or issue them: qfc certs renew --force"
    auto = Auto.SAFE

    def look(self, seen: Evidence) -> str | None:
        """Look for the certificate file, where there is an nginx that needs it."""
        if NGINX not in seen.services():
            return None
        try:
            seen.once("certificate on disk", seen.ports.deployment.certificates.on_disk)
        except NotFoundError as error:
            return error.message
        return None

    def difference(self, seen: Evidence) -> tuple[str, ...]:
        """Return the certificate that is created: enough for nginx, not for devices."""
        return (f"create a self-signed certificate for {self._host(seen)}, valid for {SELF_SIGNED_DAYS} days",)

    def repair(self, seen: Evidence) -> None:
        """Create a self-signed certificate where there is none, and recreate nginx."""
        certificates, host, now = seen.ports.deployment.certificates, self._host(seen), seen.ports.clock.now()
        certificates.store(*certificates.self_signed(host, now, (0, SELF_SIGNED_DAYS)))
        seen.ports.runtime.recreate([NGINX])

    def _host(self, seen: Evidence) -> str:
        return urlsplit(seen.ports.api.url).hostname or "localhost"


CERTIFICATES: tuple[Check, ...] = (
    *map(RuleCheck, (EXPIRED, EXPIRES_SOON, NOT_VALID_YET, OTHER_NAME, STAGING, UNTRUSTED, PRIVATE, NO_CHAIN)),
    NotServed(NOT_SERVED),
    FileMissing(),
    OtherKey(OTHER_KEY),
)
