"""The stack's secrets: created once, one file each, readable only by the stack's owner."""

from __future__ import annotations

import secrets
from pathlib import Path

from ....errors import QfcError
from ....files import keep_file


def ensure(path: Path, *, length: int = 48) -> str:
    """Return the secret in a file; create the file with a random one if it is missing. Raises QfcError."""
    try:
        return path.read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        secret = secrets.token_urlsafe(length)
        keep_file(path, secret.encode() + b"\n", mode=0o600)
        return secret
    except OSError as error:
        raise QfcError(f"The secret {path} cannot be read.", hint="Run qfc as the stack's owner.") from error


def put(path: Path, secret: str) -> None:
    """Write a given secret. Raises QfcError."""
    keep_file(path, secret.encode() + b"\n", mode=0o600)
