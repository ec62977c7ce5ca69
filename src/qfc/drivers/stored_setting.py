"""Reads stored values of the application's table of settings."""

from __future__ import annotations

import base64
import io
import json
import pickle  # nosec B403 -- see below
from contextlib import suppress
from typing import Any, cast


def setting(stored: str) -> Any:
    """Return a value of the table of settings: JSON in newer releases, a pickle in base64 in older ones."""
    with suppress(ValueError, KeyError, TypeError):
        document: Any = json.loads(stored)
        return cast("dict[str, Any]", document)["__value__"] if isinstance(document, dict) else document
    # Anything that is not a pickle can fail in any way.
    with suppress(Exception):
        return _Plain(io.BytesIO(base64.b64decode(stored))).load()
    return None


class _Plain(pickle.Unpickler):
    """Reads numbers and words; refuses anything that would run code."""

    def find_class(self, module_name: str, global_name: str) -> Any:
        raise pickle.UnpicklingError(f"{module_name}.{global_name} is not a plain value")
