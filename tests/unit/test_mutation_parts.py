"""The parts of `tools/mutate` name code and tests that exist: a renamed folder must not go untested silently."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools/mutation"))

from parts import PARTS, near  # noqa: E402


@pytest.fixture(autouse=True)
def in_the_clone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)


@pytest.mark.parametrize("name", PARTS)
def test_every_pattern_of_a_part_finds_files(name: str) -> None:
    part = PARTS[name]
    for pattern in (*part.sources, *part.tests):
        assert list(Path().glob(pattern)), pattern
    assert part.modules("")
    assert part.test_files()


def test_only_some_files_are_mutated_if_asked_and_no_protocols() -> None:
    assert [path.name for path in PARTS["stack"].modules("redaction")] == ["redaction.py"]
    assert not [path for path in PARTS["stack"].modules("") if "ports" in path.parts]


@pytest.mark.parametrize(
    ("part", "module", "test"),
    [
        ("stack", "src/qfc/stack/certificates.py", "test_certificates.py"),
        ("stack", "src/qfc/stack/queue.py", "test_queue_reasons.py"),
        ("quota", "src/qfc_node/core/quota.py", "test_quota.py"),
    ],
)
def test_the_near_tests_are_those_that_name_the_module(part: str, module: str, test: str) -> None:
    everything = PARTS[part].test_files()
    assert test in [path.name for path in near(Path(module), everything)]
    assert near(Path("src/qfc/stack/model/__init__.py"), everything) == [], "too many name it, or none"
