"""The certificate that clients are shown, and the file that it comes from."""

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
#: So long a certificate is good that was put where there was none.
MADE_DAYS = 90


def sighting(seen: Evidence) -> Sighting:
    """Return what can be seen of the certificate. Raises QfcError when it is not known what clients are shown."""
    ports = seen.ports
    served = seen.once("certificate served", ports.deployment.certificates.served)
    path, on_disk = _file(seen)
    host = urlsplit(ports.api.url).hostname or ""
    return Sighting(host, ports.clock.now(), served, path, on_disk)


def _file(seen: Evidence) -> tuple[str, Certificate | None]:
    """Return path and certificate of the file that nginx is told to use; None where it cannot be read."""
    try:
        return seen.once("certificate on disk", seen.ports.deployment.certificates.on_disk)
    except QfcError:
        return "", None


class CertificateCheck(Check):
    """Only deployments have a certificate of their own."""

    severity = Severity.CRITICAL

    def applies(self, seen: Evidence) -> bool:
        """Tell whether clients come by https."""
        return seen.is_deployment and urlsplit(seen.ports.api.url).scheme == "https"


class RuleCheck(CertificateCheck):
    """A rule about what is served, and about the file that it comes from."""

    def __init__(self, rule: Rule) -> None:
        self.id, self.title, self.severity, self.fix = rule.id, rule.title, rule.severity, rule.fix  # pyright: ignore[reportAttributeAccessIssue]
        self._rule = rule

    def look(self, seen: Evidence) -> str | None:
        """Compare what is served with the time, the server's name and the file."""
        return self._rule.look(sighting(seen))


class NotServed(RuleCheck):
    """B10: it was renewed, and nginx still serves the old one."""

    auto = Auto.SAFE

    def repair(self, seen: Evidence) -> None:
        """Let nginx read it, after it has found its configuration good."""
        seen.ports.deployment.certificates.reload()


class OtherKey(RuleCheck):
    """B18: nginx cannot start again."""

    def look(self, seen: Evidence) -> str | None:
        """Compare the key with the certificate of the file."""
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
    title = "nginx's certificate is missing"
    fix = "QFIELDCLOUD_TLS_CERT and _KEY have to name files inside nginx; issue them: qfc certs renew --force"
    auto = Auto.SAFE

    def look(self, seen: Evidence) -> str | None:
        """Look for the file."""
        try:
            seen.once("certificate on disk", seen.ports.deployment.certificates.on_disk)
        except NotFoundError as error:
            return error.message
        return None

    def difference(self, seen: Evidence) -> tuple[str, ...]:
        """Return what is put there: enough for nginx, not for devices."""
        return (f"a certificate for {self._host(seen)} that is signed by itself, for {MADE_DAYS} days",)

    def repair(self, seen: Evidence) -> None:
        """Put one there that is signed by itself, where there is nothing, and start nginx."""
        certificates = seen.ports.deployment.certificates
        certificates.store(*certificates.self_signed(self._host(seen), seen.ports.clock.now(), (0, MADE_DAYS)))
        seen.ports.runtime.recreate([NGINX])

    def _host(self, seen: Evidence) -> str:
        return urlsplit(seen.ports.api.url).hostname or "localhost"


CERTIFICATES: tuple[Check, ...] = (
    *map(RuleCheck, (EXPIRED, EXPIRES_SOON, NOT_VALID_YET, OTHER_NAME, STAGING, UNTRUSTED, PRIVATE, NO_CHAIN)),
    NotServed(NOT_SERVED),
    FileMissing(),
    OtherKey(OTHER_KEY),
)
