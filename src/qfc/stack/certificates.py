"""The rules for certificates, shared by `certs status` and the diagnosis. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from .findings import Finding, Severity, problem
from .model import Certificate, Verdict

#: Days before expiry from which a renewal is due, and from which it is urgent (monitoring.md, cert).
WARN_DAYS, URGENT_DAYS = 20, 3
DAY = timedelta(days=1)
RENEW = "Renew it: qfc certs renew"


@dataclass(frozen=True)
class Sighting:
    """A certificate as it was seen: served to clients, and in nginx's file `path`. None means not seen.

    `host` is the host name that clients use; empty where it is not known.
    """

    host: str
    now: datetime
    served: Certificate | None = None
    path: str = ""
    on_disk: Certificate | None = None
    key_fits: bool | None = None


@dataclass(frozen=True)
class Rule:
    """One thing that can be wrong. `look` returns the evidence; None where nothing is wrong or nothing was seen."""

    id: str
    title: str
    severity: Severity
    fix: str
    look: Callable[[Sighting], str | None]

    def finding(self, seen: Sighting) -> Finding | None:
        """Return the problem; None where nothing is wrong."""
        evidence = self.look(seen)
        if evidence is None:
            return None
        return replace(problem(self.id, self.severity, evidence), title=self.title, fix=self.fix)


def covers(names: Sequence[str], host: str) -> bool:
    """Return whether a certificate with these names is valid for a host; a star matches one label (RFC 6125)."""
    wanted = host.lower()
    parent = wanted.partition(".")[2]
    return any(name.lower() == wanted or (name.startswith("*.") and name[2:].lower() == parent) for name in names)


def days_left(certificate: Certificate, now: datetime) -> float:
    """Return the days until a certificate expires; negative after expiry."""
    return (certificate.not_after - now) / DAY


def _expired(seen: Sighting) -> str | None:
    if seen.served is None or seen.served.not_after > seen.now:
        return None
    return f"It expired {_span(seen.now - seen.served.not_after)} ago."


def _expires_soon(seen: Sighting) -> str | None:
    if seen.served is None or not 0 < days_left(seen.served, seen.now) < WARN_DAYS:
        return None
    return f"It expires in {_span(seen.served.not_after - seen.now)}."


def _not_valid_yet(seen: Sighting) -> str | None:
    if seen.served is None or seen.served.not_before <= seen.now:
        return None
    return f"It is not valid before {seen.served.not_before:%Y-%m-%d %H:%M UTC}."


def _other_name(seen: Sighting) -> str | None:
    if seen.served is None or not seen.host:
        return None
    names = seen.served.names or (seen.served.subject,)
    return None if covers(names, seen.host) else f"It is for {', '.join(names)}, not for {seen.host}."


def _from_staging(seen: Sighting) -> str | None:
    return "It is from Let's Encrypt's staging authority: no device trusts it." if _is_staging(seen.served) else None


def _private_authority(seen: Sighting) -> str | None:
    if seen.served is None:
        return None
    if seen.served.is_self_signed:
        return "It is self-signed: only devices that have it installed trust it."
    return "It is from mkcert: only devices with its authority trust it." if "mkcert" in seen.served.issuer else None


def _untrusted(seen: Sighting) -> str | None:
    served = seen.served
    if served is None or served.trusted is not False or _is_staging(served) or _private_authority(seen):
        return None
    return f"This machine does not trust it: {served.problem}."


def _no_chain(seen: Sighting) -> str | None:
    """A private authority signs without an authority between: its certificate is the only one that devices need."""
    if seen.on_disk is None or seen.on_disk.chain > 1 or seen.on_disk.is_self_signed or _private_authority(seen):
        return None
    return f"{seen.path or 'The file'} has no chain: devices without the issuer's certificate refuse it."


def _not_served(seen: Sighting) -> str | None:
    if seen.served is None or seen.on_disk is None or seen.served.fingerprint == seen.on_disk.fingerprint:
        return None
    return f"nginx serves serial {seen.served.serial}, but {seen.path or 'the file'} has {seen.on_disk.serial}."


def _other_key(seen: Sighting) -> str | None:
    if seen.key_fits is not False:
        return None
    return f"The private key does not match {seen.path or 'the certificate'}: nginx cannot start again."


# fmt: off
EXPIRED = Rule("B09-expired", "The certificate has expired", Severity.CRITICAL, RENEW, _expired)
EXPIRES_SOON = Rule("B10-soon", "The certificate expires soon", Severity.WARNING, RENEW, _expires_soon)
NOT_VALID_YET = Rule("B09-early", "The certificate is not valid yet", Severity.CRITICAL,
                     "Correct the server's clock, or issue another: qfc certs renew --force", _not_valid_yet)
OTHER_NAME = Rule("B18-name", "The certificate is for another host name", Severity.CRITICAL,
                  "Name the right file in QFIELDCLOUD_TLS_CERT, or issue one for QFIELDCLOUD_HOST: "
                  "qfc certs renew --force", _other_name)
STAGING = Rule("B09-staging", "The certificate is from a test authority", Severity.WARNING,
               "Set LETSENCRYPT_STAGING=0, then issue another: qfc certs renew --force", _from_staging)
PRIVATE = Rule("B09", "Devices do not trust the certificate by default", Severity.INFO,
               "Use Let's Encrypt or another public authority, or install this certificate on every device",
               _private_authority)
UNTRUSTED = Rule("B09-untrusted", "The certificate is not trusted", Severity.WARNING,
                 "Use Let's Encrypt or another public authority, with the whole chain", _untrusted)
NO_CHAIN = Rule("B09-chain", "The certificate lacks its chain", Severity.WARNING,
                "Use fullchain.pem in QFIELDCLOUD_TLS_CERT", _no_chain)
NOT_SERVED = Rule("B10", "nginx does not serve the new certificate yet", Severity.WARNING,
                  "Reload nginx: qfc certs renew --reload-only", _not_served)
OTHER_KEY = Rule("B18-key", "The private key does not match the certificate", Severity.CRITICAL,
                 "Restore the matching pair of files, or issue another: qfc certs renew --force", _other_key)
# fmt: on
RULES = (EXPIRED, EXPIRES_SOON, NOT_VALID_YET, OTHER_NAME, STAGING, UNTRUSTED, PRIVATE, NOT_SERVED, NO_CHAIN, OTHER_KEY)


def judge(seen: Sighting) -> tuple[Finding, ...]:
    """Return every problem of a certificate; mere remarks have the severity INFO."""
    return tuple(finding for rule in RULES if (finding := rule.finding(seen)) is not None)


def verdict(findings: Sequence[Finding], seen: Sighting) -> Verdict:
    """Return the state of a certificate: unknown unless it is served; a problem means down once renewal is urgent."""
    if seen.served is None:
        return Verdict.UNKNOWN
    if all(one.is_well for one in findings):
        return Verdict.OK
    return Verdict.DOWN if days_left(seen.served, seen.now) < URGENT_DAYS else Verdict.DEGRADED


def _is_staging(certificate: Certificate | None) -> bool:
    return certificate is not None and "STAGING" in certificate.issuer


def _span(duration: timedelta) -> str:
    """Return a duration in the largest unit that gives at least two."""
    hours = duration / timedelta(hours=1)
    return f"{duration / DAY:.0f} days" if hours >= 48 else f"{hours:.0f} hours" if hours >= 2 else "less than 2 hours"


def manages_nothing(said: str) -> bool:
    """Return whether certbot's output of `renew` says that it has no certificate to look after."""
    return "No renewals were attempted" in said and "not due for renewal" not in said and "not yet due" not in said
