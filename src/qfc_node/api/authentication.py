"""Authenticate callers: by token in the API; by name or e-mail address and password at login."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, cast

from django.conf import settings
from django.contrib.auth import authenticate
from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.hashers import make_password
from django.http import HttpRequest
from django.utils import timezone
from rest_framework import exceptions
from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request

from ..core.login_names import counted_name, find_account
from ..core.models import AuthToken, ClientType, User
from .errors import AuthenticationFailedError, TooManyFailedLoginAttemptsError

KEYWORD = "token"
#: Resolution of `last_used_at`: writing it with every request would cost more than most requests.
LAST_USED_STEP = timedelta(minutes=1)
#: The User-Agent in tokens that qfc writes into the table.
OPERATOR = "sdk|qfc"
#: How the User-Agent of a client begins.
PREFIXES = {
    "sdk|": ClientType.SDK,
    "cli|": ClientType.CLI,
    "qfield|": ClientType.QFIELD,
    "worker|": ClientType.WORKER,
}


def client_type_of(user_agent: str) -> ClientType:
    """Guess the kind of client from its User-Agent. Only the server creates workers' tokens, never a login."""
    for prefix, client_type in PREFIXES.items():
        if user_agent.startswith(prefix):
            return ClientType.UNKNOWN if client_type == ClientType.WORKER else client_type
    if "QGIS/" in user_agent:
        return ClientType.QFIELDSYNC
    return ClientType.BROWSER if user_agent.startswith("Mozilla") else ClientType.UNKNOWN


def is_operators(token: AuthToken) -> bool:
    """Return whether qfc wrote the token into the table, for a test or an import: no limit stops these."""
    return token.user_agent == OPERATOR


def find_person(name_or_email: str) -> User | None:
    """Find an active user by name or e-mail address, whatever its spelling; None without one."""
    person = find_account(name_or_email)
    return person if person and person.is_active else None


def lockout_name(request: HttpRequest | None, credentials: dict[str, Any] | None) -> str | None:
    """Return the name by which failed logins are counted: one for all spellings, in the API and in the admin."""
    given = (credentials or {}).get("username")
    if given is None and request is not None:
        given = getattr(request, "data", request.POST).get("username")
    return counted_name(given) if isinstance(given, str) else None


class NameOrEmailBackend(ModelBackend):
    """Lets users log in with their name or their e-mail address; organizations and teams cannot log in."""

    def authenticate(
        self, request: HttpRequest | None, username: str | None = None, password: str | None = None, **kwargs: Any
    ) -> User | None:
        """Return the user if the password is correct, else None."""
        del request, kwargs
        if username is None or password is None:
            return None
        person = find_person(username)
        if person is None:
            make_password(password)  # takes as long as checking a password, so that timing does not reveal names
            return None
        return person if person.check_password(password) else None


def log_in(request: Request, name_or_email: str, password: str) -> AuthToken:
    """Check the password and create a token. Other tokens of the user stay valid.

    Raises AuthenticationFailedError or TooManyFailedLoginAttemptsError.
    """
    # The lockout is recorded on the framework's request: on Django's own, a page would replace our response.
    user = authenticate(cast(HttpRequest, request), username=name_or_email, password=password)
    if user is None:
        locked = bool(getattr(request, "axes_locked_out", False))
        raise TooManyFailedLoginAttemptsError if locked else AuthenticationFailedError
    return make_token(cast(User, user), request.META.get("HTTP_USER_AGENT", ""))


def make_token(user: User, user_agent: str) -> AuthToken:
    """Create a token for a client that has just logged in."""
    now = timezone.now()
    User.objects.filter(pk=user.pk).update(last_login=now)
    return AuthToken.objects.create(
        user=user,
        user_agent=_told_apart(user_agent)[:1000],
        client_type=client_type_of(user_agent),
        expires_at=now + timedelta(hours=settings.AUTH_TOKEN_EXPIRATION_HOURS),
    )


def valid_token(header: str) -> AuthToken | None:
    """Return the token in a header `Token KEY`, with its user; None if there is none, or it is not valid."""
    key = _key_in(header)
    if key is None:
        return None
    token = AuthToken.objects.select_related("user").filter(key=key).first()
    is_valid = token is not None and token.expires_at > timezone.now() and token.user.is_active
    return token if is_valid else None


def _key_in(header: str) -> str | None:
    keyword, _, key = header.partition(" ")
    return key.strip().replace("\0", "") if keyword.lower() == KEYWORD else None


def _told_apart(user_agent: str) -> str:
    """Return the User-Agent of a login; one that pretends to be an operator's gets a mark."""
    return f"{user_agent}|login" if user_agent == OPERATOR else user_agent


class TokenAuthentication(BaseAuthentication):
    """`Authorization: Token KEY`."""

    def authenticate(self, request: Request) -> tuple[User, AuthToken] | None:
        """Return the caller and the token; None without a token. Raises AuthenticationFailed if it is invalid."""
        header = request.META.get("HTTP_AUTHORIZATION", "")
        if _key_in(header) is None:
            return None
        token = valid_token(header)
        if token is None:
            raise exceptions.AuthenticationFailed
        self._note_use(token, timezone.now())
        return token.user, token

    def authenticate_header(self, request: Request) -> str:
        """Return the scheme, so that a missing token is answered with 401 instead of 403."""
        del request
        return "Token"

    @staticmethod
    def _note_use(token: AuthToken, now: datetime) -> None:
        if token.last_used_at is None or token.last_used_at < now - LAST_USED_STEP:
            AuthToken.objects.filter(pk=token.pk).update(last_used_at=now, updated_at=now)
