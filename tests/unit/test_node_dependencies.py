"""The node imports nothing but what its extra `server` brings: images of containers install that alone."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, packages_distributions, requires
from pathlib import Path

from packaging.requirements import Requirement

ROOT = Path(__file__).parents[2]
NODE = ROOT / "src" / "qfc_node"


def plain(name: str) -> str:
    """Return the name of a distribution as all spell it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def imported() -> Iterator[tuple[str, Path]]:
    """Yield every package that the node imports, and where."""
    for path in NODE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                yield from ((alias.name.partition(".")[0], path) for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
                yield node.module.partition(".")[0], path


def brought() -> set[str]:
    """Return the distributions of the extra, with all that they need."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    found = set[str]()
    left = [Requirement(one) for one in project["optional-dependencies"]["server"]]
    while left:
        wanted = left.pop()
        if plain(wanted.name) not in found:
            found.add(plain(wanted.name))
            left += _needed(wanted)
    return found


def _needed(wanted: Requirement) -> list[Requirement]:
    try:
        listed = [Requirement(one) for one in requires(wanted.name) or []]
    except PackageNotFoundError:
        return []
    extras = ["", *wanted.extras]
    return [one for one in listed if not one.marker or any(one.marker.evaluate({"extra": extra}) for extra in extras)]


def test_the_node_imports_only_what_its_image_installs() -> None:
    homes, there = packages_distributions(), brought()
    foreign = {(name, path) for name, path in imported() if name not in sys.stdlib_module_names and name != "qfc_node"}
    missing = {
        f"{name} in {path.relative_to(ROOT)}"
        for name, path in foreign
        if there.isdisjoint(plain(one) for one in homes.get(name, [name]))
    }
    assert missing == set()
