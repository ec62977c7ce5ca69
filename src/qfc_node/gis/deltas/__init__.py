"""Apply deltas, the edits of field devices, to the sources of a project."""

from __future__ import annotations

from .run import apply_deltas

__all__ = ["apply_deltas"]
