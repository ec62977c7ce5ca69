"""age, through pyrage: the only module that uses it, since its types are not known to the checker."""

from __future__ import annotations

from typing import Any, cast

import pyrage

from ...errors import UsageError
from ...stack.backup_key import KEY_BEGINS

_library = cast(Any, pyrage)
_keys = _library.x25519
#: What the library raises; it wraps errors of the streams too.
ERRORS: tuple[type[Exception], ...] = (_library.EncryptError, _library.DecryptError, OSError)


def new_identity() -> str:
    """Return a new key, its secret part."""
    return str(_keys.Identity.generate())


def recipient_of(identity: str) -> str:
    """Return the public part of a key. Raises UsageError for a text that is not a key."""
    try:
        return str(_keys.Identity.from_str(identity).to_public())
    except _library.IdentityError as error:
        raise UsageError("This is not a key.", hint=f"A key is one line that begins with {KEY_BEGINS}") from error


def encrypt(source: Any, target: Any, recipient: str) -> None:
    """Encrypt a stream. Raises one of ERRORS."""
    _library.encrypt_io(source, target, [_keys.Recipient.from_str(recipient)])


def decrypt(source: Any, target: Any, identity: str | None) -> None:
    """Decrypt a stream. Raises one of ERRORS."""
    _library.decrypt_io(source, target, [_keys.Identity.from_str(identity)] if identity else [])
