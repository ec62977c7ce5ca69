"""API tokens: one per login, each with its own expiry."""

from __future__ import annotations

import secrets

from django.db import models

from .accounts import User


class ClientType(models.TextChoices):
    """Values of `authentication_authtoken.client_type`, guessed from the User-Agent."""

    BROWSER = "browser"
    CLI = "cli"
    SDK = "sdk"
    QFIELD = "qfield"
    QFIELDSYNC = "qfieldsync"
    WORKER = "worker"
    UNKNOWN = "unknown"


def new_key() -> str:
    """Return a new token of 100 characters."""
    return secrets.token_urlsafe(75)


class AuthToken(models.Model):
    """A token. It is valid until `expires_at`; another login does not end it, logging out with it does."""

    key = models.CharField(max_length=300, unique=True, default=new_key)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    updated_at = models.DateTimeField(auto_now=True)
    last_used_at = models.DateTimeField(null=True, blank=True)
    user_agent = models.TextField(blank=True, default="")
    client_type = models.CharField(max_length=32, choices=ClientType.choices, default=ClientType.UNKNOWN)
    user = models.ForeignKey(User, models.CASCADE, related_name="auth_tokens")
    user_id: int

    class Meta:
        db_table = "authentication_authtoken"

    def __str__(self) -> str:
        return f"token of {self.user.username} ({self.client_type})"
