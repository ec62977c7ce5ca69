"""The operator's key: an age identity in a file. The key that signs manifests is derived from it."""

from __future__ import annotations

import base64
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from ...errors import QfcError, RefusedError
from ...files import keep_file
from ...stack.backup_key import KEY_BEGINS
from ...stack.ports import BackupKeys
from .age import new_identity, recipient_of

#: The folder of the key in that of its stack.
KEYS = "backup"
#: What the signing key is derived for; a change here would make every old signature invalid.
_PURPOSE = b"qfc manifest signature 1"


class FileBackupKeys(BackupKeys):
    """The key in a folder: `identity.txt` as age reads it, which the operator may move away, and `recipient.txt`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @property
    def identity_file(self) -> Path:
        """The file with the secret part."""
        return self._folder / "identity.txt"

    def recipient(self) -> str | None:
        identity = self.identity()
        if identity is not None:
            return recipient_of(identity)
        lines = _lines(self._folder / "recipient.txt")
        return lines[0] if lines else None

    def identity(self) -> str | None:
        return next((line for line in _lines(self.identity_file) if line.startswith(KEY_BEGINS)), None)

    def create(self) -> str:
        if self.recipient() is not None:
            raise RefusedError("There is a key already.", hint="See: qfc db keys")
        return self._keep(new_identity())

    def adopt(self, identity: str) -> str:
        given = identity.strip()
        public = recipient_of(given)
        present = self.recipient()
        if present is not None and present != public:
            raise RefusedError(
                "Another key is here already; sets that are encrypted to it could no longer be read.",
                hint=f"Move {self._folder} away first, if no set needs it.",
            )
        return self._keep(given)

    def sign(self, content: bytes) -> bytes | None:
        """Return the signature of some bytes; None where the secret part is not here."""
        key = self._signing_key
        return None if key is None else _text_of(key.sign(content))

    def is_signed(self, content: bytes, signature: bytes) -> bool | None:
        """Return whether we signed these bytes; None where no key is here."""
        key = self._verifying_key
        if key is None:
            return None
        try:
            raw = base64.b64decode(signature)
            key.verify(raw, content)
        except (InvalidSignature, ValueError):
            return False
        return signature == _text_of(raw)

    def _keep(self, identity: str) -> str:
        recipient = recipient_of(identity)
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        keep_file(self.identity_file, f"# public key: {recipient}\n{identity}\n".encode(), mode=0o600)
        public = base64.b64encode(self._require_signing_key().public_key().public_bytes_raw()).decode()
        keep_file(self._folder / "recipient.txt", f"{recipient}\n{public}\n".encode(), mode=0o600)
        return recipient

    def _require_signing_key(self) -> Ed25519PrivateKey:
        secret = self.identity()
        assert secret is not None
        seed = HKDF(algorithm=SHA256(), length=32, salt=None, info=_PURPOSE).derive(secret.encode())
        return Ed25519PrivateKey.from_private_bytes(seed)

    @property
    def _signing_key(self) -> Ed25519PrivateKey | None:
        return None if self.identity() is None else self._require_signing_key()

    @property
    def _verifying_key(self) -> Ed25519PublicKey | None:
        if self.identity() is not None:
            return self._require_signing_key().public_key()
        lines = _lines(self._folder / "recipient.txt")
        return Ed25519PublicKey.from_public_bytes(base64.b64decode(lines[1])) if len(lines) > 1 else None


def _text_of(signature: bytes) -> bytes:
    return base64.b64encode(signature) + b"\n"


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8").split("\n")
    except FileNotFoundError:
        return []
    except OSError as error:
        raise QfcError(f"{path} cannot be read.", hint="Run qfc as the stack's owner.") from error
