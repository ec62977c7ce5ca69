"""The layers of defence of this package, which tests switch off one at a time: each critical attack meets at least two.

| layer | what it does |
|---|---|
| paths | only files of the project are opened, after links were followed |
| drivers | GDAL has only the drivers and file systems that the reference page names |
| references | what a file, a project or a filter names besides itself is looked at before GDAL opens anything |
| schema | a SQLite file with virtual tables, functions or journals that reach outside is not opened |
| statements | SQLite refuses statements and functions that no layer needs |
| addresses | databases are only reached at addresses that the operator allows |

The processes of jobs have further layers (docs/security.md).
"""

from __future__ import annotations

import os
from enum import Enum

#: Names of layers that are off, separated by commas: for tests alone.
VARIABLE = "QFC_NODE_GIS_WITHOUT"


class Layer(Enum):
    """A layer of defence."""

    PATHS = "paths"
    DRIVERS = "drivers"
    REFERENCES = "references"
    SCHEMA = "schema"
    STATEMENTS = "statements"
    ADDRESSES = "addresses"


def is_on(layer: Layer) -> bool:
    """Whether the layer defends."""
    return layer not in switched_off()


def switched_off() -> frozenset[Layer]:
    """Return the layers that a test has switched off."""
    names = os.environ.get(VARIABLE, "").split(",")
    return frozenset(layer for layer in Layer if layer.value in names)
