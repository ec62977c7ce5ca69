"""What is wrong with a certificate, in sentences. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from .model import Certificate, Verdict

#: Days before the end from which it is told, and from which it is urgent (monitoring.md, cert).
WARN_DAYS, URGENT_DAYS = 20, 3
DAY_S = 86400.0


@dataclass(frozen=True)
class Judged:
    """How a certificate is, and every reason why it is not good. `remarks` are worth knowing and no fault."""

    verdict: Verdict
    problems: tuple[str, ...]
    remarks: tuple[str, ...]


def judge(
    host: str,
    served: Certificate | None,
    on_disk: Certificate | None,
    key_fits: bool | None,
    now: datetime,
    unseen: Sequence[str] = (),
) -> Judged:
    """Judge what is served for a host, against the file that it should come from."""
    problems, remarks = list(unseen), list[str]()
    if served is not None:
        problems += _of_time(served, now) + _of_name(served, host)
        problems += _of_trust(served, remarks)
    if served is not None and on_disk is not None and served.fingerprint != on_disk.fingerprint:
        problems.append("Another certificate is served than the one on the disk: nginx has not read it yet. "
                        "Type: qfc certs renew --reload-only")  # fmt: skip
    if on_disk is not None and on_disk.chain == 1 and not on_disk.is_self_signed:
        problems.append(
            "The file has no chain: devices that lack the issuer's certificate refuse it. Use fullchain.pem."
        )
    if key_fits is False:
        problems.append("The private key is not the certificate's: nginx will not start again with them.")
    return Judged(_verdict(served, problems, now), tuple(problems), tuple(remarks))


def covers(names: Sequence[str], host: str) -> bool:
    """Tell whether a certificate for some names is for a host; a star stands for one part (RFC 6125)."""
    wanted = host.lower()
    parent = wanted.partition(".")[2]
    return any(name.lower() == wanted or (name.startswith("*.") and name[2:].lower() == parent) for name in names)


def days_left(certificate: Certificate, now: datetime) -> float:
    """Return the days until a certificate ends; negative after that."""
    return (certificate.not_after - now).total_seconds() / DAY_S


def _of_time(certificate: Certificate, now: datetime) -> list[str]:
    days = days_left(certificate, now)
    if days < 0:
        return [f"It has expired {-days:.0f} days ago. Type: qfc certs renew"]
    if certificate.not_before > now:
        return [f"It is not valid before {certificate.not_before:%Y-%m-%d %H:%M UTC}: is the clock right?"]
    return [f"It expires in {days:.0f} days. Type: qfc certs renew"] if days < WARN_DAYS else []


def _of_name(certificate: Certificate, host: str) -> list[str]:
    if not host or covers(certificate.names or (certificate.subject,), host):
        return []
    return [f"It is for {', '.join(certificate.names) or certificate.subject}, not for {host}."]


def _of_trust(certificate: Certificate, remarks: list[str]) -> list[str]:
    if certificate.is_self_signed:
        remarks.append("It is signed by itself: devices have to be told to trust it.")
        return []
    if "STAGING" in certificate.issuer:
        return ["It is from Let's Encrypt's staging, which no device trusts: set LETSENCRYPT_STAGING=0 and issue anew."]
    if "mkcert" in certificate.issuer:
        remarks.append("It is from mkcert: only devices with its authority trust it.")
        return []
    if certificate.trusted is False:
        return [f"This machine does not trust it: {certificate.problem}."]
    return []


def _verdict(served: Certificate | None, problems: Sequence[str], now: datetime) -> Verdict:
    if served is None:
        return Verdict.UNKNOWN
    if not problems:
        return Verdict.OK
    return Verdict.DOWN if days_left(served, now) < URGENT_DAYS else Verdict.DEGRADED
