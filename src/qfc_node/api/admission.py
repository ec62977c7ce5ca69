"""Whether a token or a session is anybody's: asked before the server accepts a large body."""

from __future__ import annotations

from http.cookies import CookieError, SimpleCookie
from importlib import import_module

from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.db import close_old_connections

from ..core.models import User
from .authentication import valid_token


def is_somebody(authorization: str, cookie: str) -> bool:
    """Whether one of these headers belongs to a user who may log in. Raises the errors of the database."""
    close_old_connections()
    try:
        return valid_token(authorization) is not None or _has_session(cookie)
    finally:
        close_old_connections()


def _has_session(cookie: str) -> bool:
    try:
        morsel = SimpleCookie(cookie).get(settings.SESSION_COOKIE_NAME)
    except CookieError:
        return False
    if morsel is None or not morsel.value:
        return False
    session = import_module(settings.SESSION_ENGINE).SessionStore(morsel.value)
    user = session.get(SESSION_KEY)
    return user is not None and User.objects.filter(pk=user, is_active=True).exists()
