"""The pages of a server as a browser sees them: redirects are followed, on this server only."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urljoin, urlsplit

from ..errors import QfcError
from ..stack.model import ApiAnswer, ApiRequest
from .evidence import Evidence

#: Time limit of an answer over the internet, in seconds.
ANSWER_S = 15.0
#: Since v25.28, the login of the accounts is JSON for clients that do not prefer HTML.
AS_BROWSER = {"Accept": "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8"}
ADMIN_URI, ADMIN = "QFIELDCLOUD_ADMIN_URI", "admin/"
#: The admin sends to its login, which sends to that of the accounts (since v25.28).
MOST_REDIRECTS = 5


@dataclass(frozen=True)
class Page:
    """The answer at the end of all redirects, and its path."""

    path: str
    answer: ApiAnswer


def asked(seen: Evidence, path: str) -> ApiAnswer:
    """Return the server's answer to a GET without credentials, as programs get it."""
    return seen.once(f"GET {path}", lambda: seen.ports.api.get(path, timeout_s=ANSWER_S))


def shown(seen: Evidence, path: str) -> ApiAnswer:
    """Return the server's answer to a GET without credentials, as a browser gets it."""
    request = ApiRequest("GET", path, headers=AS_BROWSER)
    return seen.once(f"page {path}", lambda: seen.ports.api.send(request, timeout_s=ANSWER_S))


def login_page(seen: Evidence, *, must_succeed: bool = True) -> Page:
    """Return the login page of the admin, wherever this release and this deployment have it.

    Raises QfcError where redirects lead away or in a circle, and, with `must_succeed`, if the page has another status.
    """
    page = followed(seen, f"/{_admin(seen)}login/")
    if must_succeed and not page.answer.is_good:
        raise QfcError(f"{page.path} answered {page.answer.status}.")
    return page


def followed(seen: Evidence, path: str) -> Page:
    """Return the page at the end of the redirects from a path. Raises QfcError where they lead away or never end."""
    home = urlsplit(seen.ports.api.url)
    for _ in range(MOST_REDIRECTS):
        answer = shown(seen, path)
        if not 300 <= answer.status < 400 or "location" not in answer.headers:
            return Page(path, answer)
        goal = urlsplit(urljoin(f"{seen.ports.api.url}{path}", answer.headers["location"]))
        if goal.hostname != home.hostname:
            raise QfcError(f"{path} leads to another server: {goal.hostname}.")
        path = f"{goal.path}?{goal.query}" if goal.query else goal.path
    raise QfcError(f"The redirects of {path} do not end.")


def _admin(seen: Evidence) -> str:
    """Return the path of the admin: official deployments can choose another one."""
    chosen = seen.settings().get(ADMIN_URI, "") if seen.is_deployment else ""
    return f"{(chosen or ADMIN).strip('/')}/"
