"""The server as its clients see it: contract, forms, style sheets, ways, names, the clock."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http.cookies import SimpleCookie
from urllib.parse import urljoin, urlsplit

from ..errors import CommandError, QfcError, UnknownNameError
from ..stack.api_status import STATUS
from ..stack.model import ApiAnswer, ApiRequest
from ..stack.ports import Api
from .base import Auto, Check, DeploymentCheck, Severity
from .evidence import Evidence

PROVIDERS, LOGIN = "/api/v1/auth/providers/", "/admin/login/"
#: Paths that every client asks for. Without a token the server says who may, not that it does not know them.
CONTRACT = ("/api/v1/auth/user/", "/api/v1/projects/", "/api/v1/users/nobody/organizations/")
#: An answer through the whole world may take so long, in seconds.
ANSWER_S = 15.0
#: What nginx answers when nobody is where it asks.
BAD_GATEWAY = 502
#: Clocks that differ by more seconds make tokens and signed addresses invalid.
SKEW_S = 30.0
_EMERGENCY = re.compile(r"\[emerg\] (?:\d+#\d+: )?(.*)")
_SHEET = re.compile(r"""href=["']([^"']+\.css[^"']*)["']""")


def asked(seen: Evidence, path: str) -> ApiAnswer:
    """Return what the server answers to a GET of anybody."""
    return seen.once(f"GET {path}", lambda: seen.ports.api.get(path, timeout_s=ANSWER_S))


class Providers(Check):
    """G01: QFieldSync keeps its form grey where this list is not as it wants it."""

    id = "G01"
    title = "Clients cannot log in: the list of ways to do it is not right"
    severity = Severity.CRITICAL
    fix = "Upgrade the server: releases since April 2025 have it; see that no proxy holds it back"

    def look(self, seen: Evidence) -> str | None:
        """Ask for the list of ways to log in."""
        answer = asked(seen, PROVIDERS)
        if answer.status != 200:
            return f"{PROVIDERS} answered {answer.status}."
        listed = answer.document
        if not isinstance(listed, list):
            return f"{PROVIDERS} answered no list."
        ids = [one.get("id") for one in listed if isinstance(one, dict)]  # pyright: ignore[reportUnknownVariableType, reportUnknownMemberType]
        return None if "credentials" in ids else f"{PROVIDERS} does not offer name and password."


class Contract(Check):
    """G12: what clients ask for has to be there."""

    id = "G12"
    title = "The server does not know what clients ask for"
    severity = Severity.CRITICAL
    fix = "See that the proxy passes everything below /api/v1/ to nginx of the deployment"

    def look(self, seen: Evidence) -> str | None:
        """Ask for paths that QFieldSync and QField use."""
        answers = {path: asked(seen, path).status for path in CONTRACT}
        bad = [f"{path} {status}" for path, status in answers.items() if status in (404, 405) or status >= 500]
        return f"Answered: {', '.join(bad)}." if bad else None


class Forms(Check):
    """B01: who logs in at the admin gets 403, though name and password are right."""

    id = "B01"
    title = "Forms are refused (CSRF)"
    severity = Severity.WARNING
    fix = "Let the proxy in front speak https to nginx, or pass Host and X-Forwarded-Proto https"

    def look(self, seen: Evidence) -> str | None:
        """Fetch the form of the admin and send it as a browser does, without a name."""
        form = asked(seen, LOGIN)
        token = _cookie(form, "csrftoken")
        if form.status != 200 or token is None:
            return None
        answer = seen.ports.api.send(self._sent(seen, token), timeout_s=ANSWER_S)
        if answer.status != 403:
            return None
        return f"The form of {LOGIN}, sent back from {_origin(seen)}, was answered 403."

    def _sent(self, seen: Evidence, token: str) -> ApiRequest:
        origin = _origin(seen)
        headers = {"Cookie": f"csrftoken={token}", "X-CSRFToken": token, "Origin": origin,
                   "Referer": f"{origin}{LOGIN}"}  # fmt: skip
        return ApiRequest("POST", LOGIN, headers=headers)


class StyleSheets(Check):
    """A03: pages without any style."""

    id = "A03"
    title = "Style sheets are missing"
    severity = Severity.WARNING
    fix = "Collect them: qfc deploy --collectstatic; nginx has to mount the volume of static files"
    auto = Auto.SAFE

    def look(self, seen: Evidence) -> str | None:
        """Fetch the first style sheet of the admin's form."""
        form = asked(seen, LOGIN)
        found = _SHEET.search(form.content.decode(errors="replace")) if form.status == 200 else None
        if found is None:
            return None
        path = urlsplit(urljoin(f"{seen.ports.api.url}{LOGIN}", found[1])).path
        status = asked(seen, path).status
        return None if status == 200 else f"{path} answered {status}."

    def repair(self, seen: Evidence) -> None:
        """Let the application collect them."""
        seen.ports.runtime.execute("app", ["collectstatic", "--noinput"], timeout_s=600)


class BehindTheDoor(DeploymentCheck):
    """B03, B07, B08: the application is well, and nobody reaches it."""

    id = "B03-door"
    problems = ("B03", "B07", "B08")
    title = "The application answers and its public address does not"
    severity = Severity.CRITICAL
    fix = "Leg by leg: qfc health --verbose; nginx hangs up on names other than QFIELDCLOUD_HOST"

    def look(self, seen: Evidence) -> str | None:
        """Ask by every way."""
        legs = seen.ports.deployment.legs()
        asked = {name: _wrong(legs[name]) for name in ("public", "nginx", "app") if name in legs}
        said = {name: wrong for name, wrong in asked.items() if wrong is not None}
        if "app" not in said or said["app"] or not any(said.values()):
            return None
        return " ".join(f"By {name}: {problem}" for name, problem in said.items() if problem)


class NginxBehind(DeploymentCheck):
    """B14: nginx looks the application's address up once, when it starts; made anew, the application has another."""

    id = "B14-nginx"
    title = "nginx asks for the application at an address of before"
    severity = Severity.CRITICAL
    fix = "Start nginx anew: qfc services restart --service nginx"
    auto = Auto.SAFE

    def look(self, seen: Evidence) -> str | None:
        """Ask by nginx, and past it."""
        legs = seen.ports.deployment.legs()
        if "nginx" not in legs or "app" not in legs or _wrong(legs["app"]) != "":
            return None
        answer = legs["nginx"].get(STATUS, timeout_s=ANSWER_S)
        return "nginx answers 502, the application itself is well." if answer.status == BAD_GATEWAY else None

    def repair(self, seen: Evidence) -> None:
        """Let it look the address up again."""
        seen.ports.runtime.stop(["nginx"])
        seen.ports.runtime.start(["nginx"])


class NginxRefuses(DeploymentCheck):
    """B02, B18: nginx runs with what it read last, and would not start again."""

    id = "B02-files"
    problems = ("B02", "B18")
    title = "nginx would not start again with its files of now"
    severity = Severity.CRITICAL
    fix = "Remove or correct what it names, before anything is restarted"

    def look(self, seen: Evidence) -> str | None:
        """Let the nginx that runs judge its files."""
        nginx = seen.services().get("nginx")
        if nginx is None or not nginx.running:
            return None
        try:
            seen.ports.runtime.execute("nginx", ["nginx", "-t"], timeout_s=ANSWER_S)
        except CommandError as error:
            refused = _EMERGENCY.search(f"{error.said}\n{error.message}")
            return f"It says: {refused[1].strip()}" if refused else None
        return None


class NoNginx(DeploymentCheck):
    """B08: files come by nginx alone."""

    id = "B08"
    title = "There is no nginx of the deployment"
    severity = Severity.CRITICAL
    fix = "Put your own proxy in front of the deployment's nginx, never instead of it: files would not come"

    def look(self, seen: Evidence) -> str | None:
        """Look for the service."""
        services = seen.services()
        return None if "nginx" in services or "app" not in services else "The service nginx is not part of it."


class PublicPort(DeploymentCheck):
    """B05: the application compares the port that clients name with its own setting."""

    id = "B05"
    title = "The public port is not the one of .env"
    severity = Severity.CRITICAL
    fix = "WEB_HTTPS_PORT has to be the public port; map it to another one in an override file where that is taken"

    def look(self, seen: Evidence) -> str | None:
        """Compare the public address with WEB_HTTPS_PORT."""
        wanted, address = seen.settings().get("WEB_HTTPS_PORT", ""), urlsplit(seen.ports.api.url)
        if not wanted or address.scheme != "https" or str(address.port or 443) == wanted:
            return None
        return f"Clients use {address.port or 443}, WEB_HTTPS_PORT is {wanted}: downloads would be refused."


class ClockSkew(Check):
    """Signed addresses and tokens do not survive clocks that differ."""

    id = "clock-server"
    problems = ()
    title = "The server's clock is wrong"
    severity = Severity.WARNING
    fix = "Let the host keep its time: timedatectl set-ntp true"

    def look(self, seen: Evidence) -> str | None:
        """Compare the date of an answer with the time here."""
        before = seen.ports.clock.now()
        answer = seen.ports.api.get(STATUS, timeout_s=ANSWER_S)
        there = _date(answer.headers)
        if there is None:
            return None
        between = before + (seen.ports.clock.now() - before) / 2
        offset = (there - between).total_seconds()
        return f"It differs by {offset:.0f} s from the clock here." if abs(offset) > SKEW_S else None


def _date(headers: Mapping[str, str]) -> datetime | None:
    try:
        return parsedate_to_datetime(headers["date"]).astimezone(UTC)
    except (KeyError, ValueError):
        return None


def _cookie(answer: ApiAnswer, name: str) -> str | None:
    cookies = SimpleCookie(answer.headers.get("set-cookie", ""))
    return cookies[name].value if name in cookies else None


def _origin(seen: Evidence) -> str:
    address = urlsplit(seen.ports.api.url)
    return f"{address.scheme}://{address.netloc}"


def _wrong(api: Api) -> str | None:
    """Return what is wrong with the answer to the question for the status: nothing where it is good.

    None where the name leads to no address from here, which says nothing of the server.
    """
    try:
        answer = api.get(STATUS, timeout_s=ANSWER_S)
    except UnknownNameError:
        return None
    except QfcError as error:
        return error.message
    return "" if answer.status == 200 else f"it answered {answer.status}."


WEB: tuple[Check, ...] = (
    Providers(),
    Contract(),
    Forms(),
    StyleSheets(),
    BehindTheDoor(),
    NginxBehind(),
    NginxRefuses(),
    NoNginx(),
    PublicPort(),
    ClockSkew(),
)
