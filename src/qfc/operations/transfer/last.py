"""The record beside the sets of an export that says which one is the last: nobody could write to the server since."""

from __future__ import annotations

import json
from pathlib import Path

from ...files import keep_file
from ...stack.backup_set import Manifest

RECORD = "last.json"


def note_last(place: Path, manifest: Manifest) -> None:
    """Record that a set has the last state of its server."""
    keep_file(place / RECORD, json.dumps({"backup": manifest.id}).encode() + b"\n", mode=0o600)


def is_last(place: Path, manifest: Manifest) -> bool:
    """Return whether a set was recorded as the last one; a record that cannot be read says no."""
    try:
        return json.loads((place / RECORD).read_bytes())["backup"] == manifest.id
    except (OSError, ValueError, KeyError, TypeError):
        return False


def caution(place: Path, manifest: Manifest) -> str:
    """Return what is to be known of a set that is not the last one; empty for the last."""
    if is_last(place, manifest):
        return ""
    return (
        f"People may still work on {manifest.stack}: this set is of {manifest.taken_at:%Y-%m-%d %H:%M} UTC, and was "
        "not exported with --final."
    )
