"""Packages whose names are imported when they are used: a command then loads only what it needs.

Such a package imports its names under TYPE_CHECKING, for type checkers and editors; the loader reads them there.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any


def loader(package: str, file: str) -> Callable[[str], Any]:
    """Return the `__getattr__` of a package: it imports a name from the module that defines it."""
    homes = _homes(Path(file).read_text(encoding="utf-8"))

    def load(name: str) -> Any:
        if name not in homes:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        return getattr(import_module(f"{package}.{homes[name]}"), name)

    return load


def _homes(source: str) -> dict[str, str]:
    """Return the modules of the names that a source imports from its own package."""
    imports = (node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.ImportFrom) and node.level == 1)
    return {alias.name: node.module for node in imports if node.module for alias in node.names}
