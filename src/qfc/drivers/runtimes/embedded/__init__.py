"""The embedded runtime: `runtime.py` implements the port; the other modules are its parts."""

from __future__ import annotations

from .layout import EmbeddedConfig
from .runtime import EmbeddedRuntime

__all__ = ["EmbeddedConfig", "EmbeddedRuntime"]
