"""Choose the mutants: cosmic-ray finds them, a sample with a fixed seed is taken, one per place in the code."""

from __future__ import annotations

import ast
import random
import re
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from cosmic_ray.commands import init
from cosmic_ray.work_db import WorkDB, use_db

Mutation = Any
Span = tuple[tuple[int, int], tuple[int, int]]

#: Replacements that mean the same for almost all values: enumerations and None are compared by identity.
EQUIVALENT = re.compile(r"_(Is_Eq|Eq_Is|IsNot_NotEq|NotEq_IsNot)$")


def sampled(modules: Sequence[Path], size: int, seed: int) -> tuple[list[Mutation], int]:
    """Return one mutation for each of so many places (0: all of them), and the number of places there are."""
    places: dict[tuple[Path, Any, str], list[Mutation]] = {}
    for mutation in _mutations(modules):
        family = mutation.operator_name.split("_")[0]
        places.setdefault((mutation.module_path, mutation.start_pos, family), []).append(mutation)
    chance = random.Random(seed)
    one_each = [chance.choice(variants) for variants in places.values()]
    chosen = chance.sample(one_each, min(size or len(one_each), len(one_each)))
    return sorted(chosen, key=lambda one: (one.module_path, one.start_pos)), len(places)


def _mutations(modules: Sequence[Path]) -> Iterator[Mutation]:
    without_effect = {module: list(_without_effect(module)) for module in modules}
    for mutation in _found(modules):
        inside = any(begin <= mutation.start_pos < end for begin, end in without_effect[mutation.module_path])
        if not inside and not EQUIVALENT.search(mutation.operator_name):
            yield mutation


def _found(modules: Sequence[Path]) -> Iterator[Mutation]:
    with tempfile.TemporaryDirectory() as folder, use_db(f"{folder}/session.sqlite", WorkDB.Mode.create) as session:
        init(modules, session, {})
        for item in session.work_items:
            yield from item.mutations


def _without_effect(module: Path) -> Iterator[Span]:
    """Yield the places of annotations, which nothing evaluates, and of `frozen=True`, which types check."""
    lines = module.read_text(encoding="utf-8").splitlines()

    def place(line: int, byte: int) -> tuple[int, int]:
        """Return a position as cosmic-ray counts it: in characters, not in bytes."""
        return line, len(lines[line - 1].encode()[:byte].decode())

    for node in ast.walk(ast.parse("\n".join(lines))):
        for found in _expressions(node):
            if found.end_lineno is not None and found.end_col_offset is not None:
                yield place(found.lineno, found.col_offset), place(found.end_lineno, found.end_col_offset)


def _expressions(node: ast.AST) -> Iterator[ast.expr]:
    for name in ("annotation", "returns"):
        found: ast.expr | None = getattr(node, name, None)
        if found is not None:
            yield found
    for decorator in getattr(node, "decorator_list", ()):
        if isinstance(decorator, ast.Call) and ast.unparse(decorator.func) == "dataclass":
            yield decorator
