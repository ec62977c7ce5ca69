"""GeoJSON without features: its fields and geometry type would be lost with the last feature, and with them the layer.

The node then keeps an example of a feature, without its values, in a member of the file that other programs ignore.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

MEMBER = "qfc_example"
_SUFFIXES = (".geojson", ".json")
#: More than the fields of any layer; a file with features is not read as a whole.
_LARGEST = 1_000_000


def features_or_example(document: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the features that show fields and types: those of the file, else its example."""
    kept = document.get(MEMBER)
    return document["features"] or ([cast("dict[str, Any]", kept)] if isinstance(kept, dict) else [])


def read_example(path: Path) -> str | None:
    """Return a document with the example as its only feature; None for other files."""
    if path.suffix.lower() not in _SUFFIXES or not path.is_file() or path.stat().st_size > _LARGEST:
        return None
    text = path.read_text("utf-8-sig", "replace")
    if f'"{MEMBER}"' not in text:
        return None
    try:
        document: Any = json.loads(text)
        features = [] if document["features"] else features_or_example(document)
    except (ValueError, LookupError, TypeError, RecursionError):
        return None
    kept = {name: value for name, value in document.items() if name != MEMBER}
    return json.dumps({"name": path.stem, **kept, "features": features}) if features else None
