"""The certificate that clients are shown, and the file that it comes from."""

from __future__ import annotations

from urllib.parse import urlsplit

from ..errors import NotFoundError, QfcError
from ..stack.certificates import WARN_DAYS, covers, days_left
from ..stack.model import Certificate
from .base import Auto, Check, Severity
from .evidence import Evidence

NGINX = "nginx"
#: So long a certificate is good that was put where there was none.
MADE_DAYS = 90


def served(seen: Evidence) -> Certificate:
    """Return what clients are shown."""
    return seen.once("certificate served", seen.ports.deployment.certificates.served)


def on_disk(seen: Evidence) -> tuple[str, Certificate] | None:
    """Return path and certificate of the file; None where there is none that can be read."""
    try:
        return seen.once("certificate on disk", seen.ports.deployment.certificates.on_disk)
    except QfcError:
        return None


class CertificateCheck(Check):
    """Only deployments have one of their own."""

    severity = Severity.CRITICAL

    def applies(self, seen: Evidence) -> bool:
        """Tell whether clients come by https."""
        return seen.is_deployment and urlsplit(seen.ports.api.url).scheme == "https"


class Expired(CertificateCheck):
    """B09: devices refuse it, most of them without a word."""

    id = "B09-expired"
    title = "The certificate has expired"
    fix = "Renew it: qfc certs renew"

    def look(self, seen: Evidence) -> str | None:
        """Compare its time with that of now."""
        left = days_left(served(seen), seen.ports.clock.now())
        return f"It ended {-left:.1f} days ago." if left < 0 else None


class ExpiresSoon(CertificateCheck):
    """B10: the renewal does not work."""

    id = "B10-soon"
    title = "The certificate ends soon"
    severity = Severity.WARNING
    fix = "Renew it: qfc certs renew"

    def look(self, seen: Evidence) -> str | None:
        """Count the days that are left."""
        left = days_left(served(seen), seen.ports.clock.now())
        return f"It ends in {left:.1f} days." if 0 <= left < WARN_DAYS else None


class OtherName(CertificateCheck):
    """B18: it is somebody else's."""

    id = "B18-name"
    title = "The certificate is for another name"
    fix = "Issue one for QFIELDCLOUD_HOST: qfc certs renew --force; or name its file in QFIELDCLOUD_TLS_CERT"

    def look(self, seen: Evidence) -> str | None:
        """Compare its names with that of the server."""
        host, shown = urlsplit(seen.ports.api.url).hostname or "", served(seen)
        names = shown.names or (shown.subject,)
        return None if covers(names, host) else f"It is for {', '.join(names)}, not for {host}."


class Untrusted(CertificateCheck):
    """B09: devices have to be told to trust it."""

    id = "B09"
    title = "Devices do not trust the certificate by themselves"
    severity = Severity.INFO
    fix = "Use Let's Encrypt or another known authority, with the whole chain; or install the authority on every device"

    def look(self, seen: Evidence) -> str | None:
        """Look at who vouches for it."""
        shown, file = served(seen), on_disk(seen)
        if shown.is_self_signed:
            return "It is signed by itself."
        if "mkcert" in shown.issuer:
            return "It is from mkcert."
        if file is not None and file[1].chain == 1 and not file[1].is_self_signed:
            return f"{file[0]} has no chain: only the certificate itself."
        return f"This machine does not trust it: {shown.problem}." if shown.trusted is False else None


class NotServed(CertificateCheck):
    """B10: it was renewed, and nginx still shows the old one."""

    id = "B10"
    title = "The new certificate is not served yet"
    severity = Severity.WARNING
    fix = "Let nginx read it: qfc certs renew --reload-only"
    auto = Auto.SAFE

    def look(self, seen: Evidence) -> str | None:
        """Compare what is served with the file."""
        shown, file = served(seen), on_disk(seen)
        if file is None or file[1].fingerprint == shown.fingerprint:
            return None
        return f"Served is {shown.serial}, {file[0]} has {file[1].serial}."

    def repair(self, seen: Evidence) -> None:
        """Let nginx read it, after it has found its configuration good."""
        seen.ports.deployment.certificates.reload()


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


class OtherKey(CertificateCheck):
    """B18: nginx cannot start again."""

    id = "B18-key"
    title = "The private key is not that of the certificate"
    fix = "Put the pair there again, or issue another: qfc certs renew --force"

    def look(self, seen: Evidence) -> str | None:
        """Compare them."""
        file = on_disk(seen)
        if file is None:
            return None
        try:
            fits = seen.ports.deployment.certificates.key_fits()
        except NotFoundError as error:
            return error.message
        return None if fits else f"The private key is not that of {file[0]}."


CERTIFICATES: tuple[Check, ...] = (
    Expired(),
    ExpiresSoon(),
    OtherName(),
    Untrusted(),
    NotServed(),
    FileMissing(),
    OtherKey(),
)
