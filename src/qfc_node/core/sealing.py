"""Encrypt the values of project secrets, so that nobody can read them in the database."""

from __future__ import annotations

import base64
import hashlib

from cryptography.fernet import Fernet, InvalidToken
from django.conf import settings


class SealError(Exception):
    """The value was encrypted with another key."""


def _fernet() -> Fernet:
    key = hashlib.pbkdf2_hmac("sha256", settings.SECRET_KEY.encode(), b"qfc_node.core_secret", 1000)
    return Fernet(base64.urlsafe_b64encode(key))


def seal(text: str) -> bytes:
    """Encrypt a value with the stack's SECRET_KEY."""
    return _fernet().encrypt(text.encode())


def unseal(sealed: bytes | memoryview) -> str:
    """Decrypt a value. Raises SealError if it was encrypted with another SECRET_KEY."""
    try:
        return _fernet().decrypt(bytes(sealed)).decode()
    except InvalidToken as error:
        raise SealError("It was encrypted with another SECRET_KEY; delete it and set it again.") from error
