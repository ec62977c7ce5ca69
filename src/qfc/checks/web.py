"""The server as its clients see it: API, forms, style sheets, routes, names, the clock."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from urllib.parse import urljoin, urlsplit

from ..errors import CommandError, QfcError, UnknownNameError, UntrustedError
from ..stack.api_status import STATUS
from ..stack.model import ApiAnswer, ApiRequest
from ..stack.ports import Api
from .base import Auto, Check, DeploymentCheck, Severity
from .evidence import Evidence
from .pages import ANSWER_S, asked, login_page
from .releases import release_facts

PROVIDERS = "/api/v1/auth/providers/"
#: Paths that every client requests. Without a token, a good server answers 401 or 403, never 404.
CONTRACT = ("/api/v1/auth/user/", "/api/v1/projects/", "/api/v1/users/nobody/organizations/")
#: nginx's answer when it cannot reach the application.
BAD_GATEWAY = 502
FORBIDDEN = 403
#: A style sheet of the admin that every release has under this name.
ADMIN_SHEET = "/staticfiles/admin/css/base.css"
#: With a greater difference of clocks, in seconds, tokens and signed URLs are invalid.
SKEW_S = 30.0
_EMERGENCY = re.compile(r"\[emerg\] (?:\d+#\d+: )?(.*)")
_SHEET = re.compile(r"""href=["']([^"']+\.css[^"']*)["']""")


class Providers(Check):
    """G01: QFieldSync keeps its login form disabled without a valid list."""

    id = "G01"
    title = "Clients cannot log in: the list of login providers is wrong"
    severity = Severity.CRITICAL
    fix = f"Make sure that no proxy blocks {PROVIDERS}; upgrade servers from before April 2025: qfc deploy --tag TAG"

    def look(self, seen: Evidence) -> str | None:
        """Request the list of login providers."""
        answer = asked(seen, PROVIDERS)
        if answer.status != 200:
            return f"{PROVIDERS} answered {answer.status}."
        listed = answer.document
        if not isinstance(listed, list):
            return f"{PROVIDERS} did not answer with a list."
        ids = [one.get("id") for one in listed if isinstance(one, dict)]  # pyright: ignore[reportUnknownVariableType, reportUnknownMemberType]
        return None if "credentials" in ids else f"{PROVIDERS} does not offer name and password."


class Contract(Check):
    """G12: the paths that clients need must exist."""

    id = "G12"
    title = "The server lacks paths that clients need"
    severity = Severity.CRITICAL
    fix = "Make the proxy pass everything below /api/v1/ to the deployment's nginx"

    def look(self, seen: Evidence) -> str | None:
        """Request paths that QFieldSync and QField use."""
        answers = {path: asked(seen, path).status for path in CONTRACT}
        bad = [f"{path} {status}" for path, status in answers.items() if status in (404, 405) or status >= 500]
        return f"Answers: {', '.join(bad)}." if bad else None


class Forms(Check):
    """B01: a login to the admin is answered 403, although name and password are right."""

    id = "B01"
    title = "The server refuses forms (CSRF)"
    severity = Severity.WARNING
    fix = "Let the outer proxy use https to nginx, or pass Host and X-Forwarded-Proto: https"

    def look(self, seen: Evidence) -> str | None:
        """Fetch the login form of the admin and send it as a browser does, without a name."""
        page = login_page(seen)
        token = _cookie(page.answer, "csrftoken")
        if token is None:
            raise QfcError(f"{page.path} sets no csrftoken, so its form cannot be sent.")
        answer = seen.ports.api.send(self._sent(seen, page.path, token), timeout_s=ANSWER_S)
        if answer.status != FORBIDDEN:
            return None
        return f"The form of {page.path}, sent from {_origin(seen)}, was answered 403."

    def _sent(self, seen: Evidence, path: str, token: str) -> ApiRequest:
        origin = _origin(seen)
        headers = {"Cookie": f"csrftoken={token}", "X-CSRFToken": token, "Origin": origin,
                   "Referer": f"{origin}{path}"}  # fmt: skip
        return ApiRequest("POST", path, headers=headers)


class StyleSheets(Check):
    """A03: pages appear without any styling."""

    id = "A03"
    title = "Style sheets are missing"
    severity = Severity.WARNING
    fix = "Make sure that nginx mounts the volume of static files; collect them: qfc deploy --collectstatic"
    auto = Auto.SAFE

    def look(self, seen: Evidence) -> str | None:
        """Fetch the first style sheet of the login form; where the page itself fails, the admin's own one."""
        page = login_page(seen, must_succeed=False)
        found = _SHEET.search(page.answer.content.decode(errors="replace")) if page.answer.is_good else None
        if found is None and page.answer.is_good:
            raise QfcError(f"{page.path} names no style sheet.")
        path = urlsplit(urljoin(f"{seen.ports.api.url}{page.path}", found[1])).path if found else ADMIN_SHEET
        status = asked(seen, path).status
        if status == 200 and not page.answer.is_good:
            raise QfcError(f"{page.path} answered {page.answer.status}.")
        return None if status == 200 else f"{path} answered {status}."

    def repair(self, seen: Evidence) -> None:
        """Let the application collect its static files."""
        seen.ports.runtime.execute("app", ["collectstatic", "--noinput"], timeout_s=600)


class PublicAddressDown(DeploymentCheck):
    """B03, B07, B08: the application is healthy, but clients cannot reach it."""

    id = "B03-door"
    problems = ("B03", "B07", "B08")
    title = "The application answers, but its public address does not"
    severity = Severity.CRITICAL
    fix = "nginx drops requests for names other than QFIELDCLOUD_HOST; probe each leg: qfc health --verbose"

    def look(self, seen: Evidence) -> str | None:
        """Request the status by every route: public address, nginx, application."""
        legs = seen.ports.deployment.legs()
        answers = {name: _wrong(legs[name]) for name in ("public", "nginx", "app") if name in legs}
        known = {name: wrong for name, wrong in answers.items() if wrong is not None}
        if "app" not in known or known["app"] or not any(known.values()):
            return None
        return " ".join(f"By {name}: {problem}" for name, problem in known.items() if problem)


class NginxOutdated(DeploymentCheck):
    """B14: nginx resolves the application's address once, at its start; a recreated application has another one."""

    id = "B14-nginx"
    title = "nginx uses a stale address for the application"
    severity = Severity.CRITICAL
    fix = "Restart nginx: qfc services restart --service nginx"
    auto = Auto.SAFE

    def look(self, seen: Evidence) -> str | None:
        """Request the status through nginx, and from the application directly."""
        legs = seen.ports.deployment.legs()
        if "nginx" not in legs or "app" not in legs or _wrong(legs["app"]) != "":
            return None
        answer = legs["nginx"].get(STATUS, timeout_s=ANSWER_S)
        return "nginx answers 502, but the application itself answers 200." if answer.status == BAD_GATEWAY else None

    def repair(self, seen: Evidence) -> None:
        """Restart nginx, which resolves the address again."""
        seen.ports.runtime.stop(["nginx"])
        seen.ports.runtime.start(["nginx"])


class NginxRefuses(DeploymentCheck):
    """B02, B18: nginx runs with its last configuration, but would not start with the present one."""

    id = "B02-files"
    problems = ("B02", "B18")
    title = "nginx cannot start again with its present files"
    severity = Severity.CRITICAL
    fix = "Before you restart anything, correct or remove the file or line in the message"

    def look(self, seen: Evidence) -> str | None:
        """Let the running nginx test its configuration."""
        nginx = seen.services().get("nginx")
        if nginx is None or not nginx.running:
            return None
        try:
            seen.ports.runtime.execute("nginx", ["nginx", "-t"], timeout_s=ANSWER_S)
        except CommandError as error:
            refused = _EMERGENCY.search(f"{error.said}\n{error.message}")
            return f"nginx -t says: {refused[1].strip()}" if refused else None
        return None


class NoNginx(DeploymentCheck):
    """B08: only nginx can serve files."""

    id = "B08"
    title = "The deployment has no nginx"
    severity = Severity.CRITICAL
    fix = "Put your own proxy in front of the deployment's nginx; without that nginx, file downloads fail"

    def look(self, seen: Evidence) -> str | None:
        """Look for the service nginx."""
        services = seen.services()
        return None if "nginx" in services or "app" not in services else "The deployment lacks the service nginx."


class PublicPort(DeploymentCheck):
    """B05: before v25.27, the application compares the port in clients' requests with its own setting."""

    id = "B05"
    title = "The public port differs from WEB_HTTPS_PORT"
    severity = Severity.CRITICAL
    fix = "Set WEB_HTTPS_PORT to the public port; where that port is taken, map it to another in an override file"

    def look(self, seen: Evidence) -> str | None:
        """Compare the public address with WEB_HTTPS_PORT."""
        wanted, address = seen.settings().get("WEB_HTTPS_PORT", ""), urlsplit(seen.ports.api.url)
        if not wanted or address.scheme != "https" or str(address.port or 443) == wanted:
            return None
        facts = release_facts(seen)
        if facts is None:
            raise QfcError("The deployment's files cannot be read: they tell whether this release compares ports.")
        if not facts.compares_port:
            return None
        return f"Clients use port {address.port or 443}, but WEB_HTTPS_PORT is {wanted}: downloads are refused."


class ClockSkew(Check):
    """Signed URLs and tokens need clocks that agree."""

    id = "clock-server"
    problems = ()
    title = "The server's clock differs from this machine's clock"
    severity = Severity.WARNING
    fix = "Synchronise the host's clock: timedatectl set-ntp true"

    def look(self, seen: Evidence) -> str | None:
        """Compare the date of an answer with this machine's clock."""
        before = seen.ports.clock.now()
        answer = seen.ports.api.get(STATUS, timeout_s=ANSWER_S)
        there = _date(answer.headers)
        if there is None:
            return None
        between = before + (seen.ports.clock.now() - before) / 2
        offset = (there - between).total_seconds()
        if abs(offset) <= SKEW_S:
            return None
        return f"The server's clock is {abs(offset):.0f} s {'ahead' if offset > 0 else 'behind'}."


def _date(headers: Mapping[str, str]) -> datetime | None:
    try:
        return parsedate_to_datetime(headers["date"]).astimezone(UTC)
    except (KeyError, ValueError):
        return None


def _cookie(answer: ApiAnswer, name: str) -> str | None:
    """Return a cookie that the answer sets, perhaps beside others."""
    found = re.search(rf"(?:^|, ){re.escape(name)}=([^;,\s]+)", answer.headers.get("set-cookie", ""))
    return found[1] if found else None


def _origin(seen: Evidence) -> str:
    address = urlsplit(seen.ports.api.url)
    return f"{address.scheme}://{address.netloc}"


def _wrong(api: Api) -> str | None:
    """Return what is wrong with the answer to a status request; empty for a good answer.

    None where the host name does not resolve from here, which says nothing about the server, and where this machine
    does not trust the certificate: the checks of certificates say how bad that is.
    """
    try:
        answer = api.get(STATUS, timeout_s=ANSWER_S)
    except (UnknownNameError, UntrustedError):
        return None
    except QfcError as error:
        return error.message
    return "" if answer.status == 200 else f"it answered {answer.status}."


WEB: tuple[Check, ...] = (
    Providers(),
    Contract(),
    Forms(),
    StyleSheets(),
    PublicAddressDown(),
    NginxOutdated(),
    NginxRefuses(),
    NoNginx(),
    PublicPort(),
    ClockSkew(),
)
