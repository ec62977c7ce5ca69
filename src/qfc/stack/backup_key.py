"""What is said of the operator's key wherever it is needed and missing. Pure."""

from __future__ import annotations

from ..errors import RefusedError

#: How the secret part of a key begins.
KEY_BEGINS = "AGE-SECRET-KEY-"
IMPORT_IT = "Type: qfc db keys --import FILE   (the file with the key of the recovery sheet)"


def key_is_elsewhere() -> RefusedError:
    """Return the error where only the operator has the secret part."""
    return RefusedError("The key that opens the backups is not on this machine.", hint=IMPORT_IT)
