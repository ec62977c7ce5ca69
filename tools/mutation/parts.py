"""The parts of the code that are mutated, and the tests that should notice."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

#: More test files than this are not near to a module.
MOST_NEAR = 8


@dataclass(frozen=True)
class Part:
    """Code and its tests, as patterns of paths. `about` selects the test files whose text matches it."""

    sources: tuple[str, ...]
    tests: tuple[str, ...]
    about: str = ""

    def modules(self, only: str) -> list[Path]:
        """Return the files to mutate. Protocols contain no code."""
        found = (path for pattern in self.sources for path in sorted(Path().glob(pattern)))
        return [path for path in found if "ports" not in path.parts and only in str(path)]

    def test_files(self) -> list[Path]:
        """Return all test files of the part."""
        found = [path for pattern in self.tests for path in sorted(Path().glob(pattern))]
        return [path for path in found if re.search(self.about, path.read_text(encoding="utf-8"))]


PARTS = {
    "stack": Part(("src/qfc/stack/**/*.py",), ("tests/unit/*.py",), r"qfc\.stack|from twins"),
    "quota": Part(("src/qfc_node/core/quota.py",), ("tests/integration/test_quota.py",)),
    "deltas": Part(
        ("src/qfc_node/gis/deltas/**/*.py",),
        ("tests/unit/test_deltas_*.py", "tests/integration/test_deltas_postgres.py"),
    ),
    "worker": Part(
        ("src/qfc_node/worker/*.py",),
        (
            "tests/integration/test_leases.py",
            "tests/integration/test_job_results.py",
            "tests/integration/test_worker*.py",
            "tests/integration/test_blob_references.py",
            "tests/integration/test_storage_review.py",
        ),
    ),
}


def near(module: Path, tests: Sequence[Path]) -> list[Path]:
    """Return the test files that name a module: a mutant that one of them notices costs seconds."""
    words = module.with_suffix("").parts[1:]
    words = words[:-1] if words[-1] == "__init__" else words
    parent, name = r"\.".join(words[:-1]), words[-1]
    named = re.compile(rf"\b{parent}\.{name}\b|from {parent} import (?:\([^)]*|[^\n]*)\b{name}\b")
    found = [path for path in tests if named.search(path.read_text(encoding="utf-8"))]
    return found if len(found) <= MOST_NEAR else []
