"""Log lines of logins that fail for another reason than the password."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import urlsplit

from ..stack.model import LogLine
from .base import Check, Severity
from .evidence import Evidence
from .logs import APP, NGINX, LogPattern

#: A browser gives up after about twenty redirects.
IN_CIRCLES = 10
#: Forms without any Referer also come from robots; so many mean that something removes it.
MANY_WITHOUT = 5


class FormsOfOurOwn(LogPattern):
    """B01: the refused form came from the server's own address, so a proxy changes what the application sees."""

    def lines(self, seen: Evidence) -> Sequence[LogLine]:
        """Return the lines that name the server: a form from another site is refused with good reason."""
        host = urlsplit(seen.ports.api.url).hostname or ""
        return [line for line in super().lines(seen) if f"//{host}" in line.text]


LOGS_OF_LOGINS: tuple[Check, ...] = (
    FormsOfOurOwn("B01-log", "The server refuses its own forms (CSRF)", Severity.WARNING,
                  "Let the outer proxy pass Host with its port, and X-Forwarded-Proto: https",
                  [APP], r"(?:Origin|Referer) checking failed - \S+ does not match any trusted origins"),
    LogPattern("B01-referer", "Browsers send forms without a Referer", Severity.INFO,
               "Remove Referrer-Policy: no-referrer from the outer proxy",
               [APP], r"Referer checking failed - (?:no Referer|Referer is (?:malformed|insecure))[^\n\"]*",
               least=MANY_WITHOUT),
    LogPattern("G05-oidc", "A login by OpenID Connect was refused: its token had been used", Severity.INFO,
               "Let the user log in again; if it returns, no proxy may repeat requests, and clocks must agree",
               [APP], r"token already used"),
    LogPattern("G05-staff", "The admin sends a user in circles who is not staff", Severity.INFO,
               "Users log in with QField or QFieldSync; an administrator needs the flag staff, in the admin",
               [NGINX], r"^GET 302 /accounts/login/\?next=\S*", least=IN_CIRCLES),
)  # fmt: skip
