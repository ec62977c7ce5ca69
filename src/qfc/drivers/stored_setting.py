"""Values of the application's table of settings, as they are stored."""

from __future__ import annotations

import base64
import io
import json
import pickle
from contextlib import suppress
from typing import Any, cast


def setting(stored: str) -> Any:
    """Return a value of the table of settings: JSON in later releases, before that a pickle in base64."""
    with suppress(ValueError, KeyError, TypeError):
        document: Any = json.loads(stored)
        return cast("dict[str, Any]", document)["__value__"] if isinstance(document, dict) else document
    # What is no pickle can fail in any way.
    with suppress(Exception):
        return _Plain(io.BytesIO(base64.b64decode(stored))).load()
    return None


class _Plain(pickle.Unpickler):
    """Reads numbers and words; whatever would run code is refused."""

    def find_class(self, module_name: str, global_name: str) -> Any:
        raise pickle.UnpicklingError(f"{module_name}.{global_name} is not a plain value")
