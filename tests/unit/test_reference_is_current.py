"""The generated pages of `docs/reference` match the code."""

from __future__ import annotations

import importlib.util
import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[2]
HINT = "Type: .venv/bin/python tools/make_reference.py"
LINK = re.compile(r"\]\((?!https?:|mailto:)([^)#\s]+)(#[^)\s]*)?\)")


@pytest.fixture(scope="module")
def tool() -> Iterator[ModuleType]:
    """The tool that generates the pages."""
    before = list(sys.path)
    sys.path.insert(0, str(ROOT / "tools"))
    spec = importlib.util.spec_from_file_location("make_reference", ROOT / "tools/make_reference.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    yield module
    sys.path[:] = before


def test_the_pages_are_what_the_code_says(tool: ModuleType) -> None:
    assert [str(path) for path in tool.outdated()] == [], HINT


def test_every_command_has_its_answer_on_the_page(tool: ModuleType) -> None:
    assert tool.pages()
    from reference.answers import ANSWERS
    from reference.commands import command_paths

    assert set(command_paths()) == set(ANSWERS), "add the command to tools/reference/answers.py"


def test_a_change_of_the_code_is_noticed(tool: ModuleType, tmp_path: Path) -> None:
    source = tmp_path / "src/qfc_node/settings.py"
    source.parent.mkdir(parents=True)
    source.write_text((ROOT / "src/qfc_node/settings.py").read_text() + '\nNEW = environment.text("QFC_NODE_NEW")\n')
    assert tool.pages()
    from reference.configuration import configuration_page

    with pytest.raises(ValueError, match="QFC_NODE_NEW"):
        configuration_page("", tmp_path)


@pytest.mark.parametrize(
    "page", [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))], ids=str
)
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    targets = [found[1] for found in LINK.finditer(page.read_text(encoding="utf-8"))]
    assert [target for target in targets if not (page.parent / target).exists()] == []


def test_the_man_page_is_in_the_wheel_and_says_every_command(tool: ModuleType) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    shared = project["tool"]["hatch"]["build"]["targets"]["wheel"]["shared-data"]
    (source,) = [path for path, target in shared.items() if target == "share/man/man1/qfc.1"]
    page = (ROOT / source).read_text(encoding="utf-8").replace("\\-", "-")
    assert tool.pages()
    from reference.commands import command_paths

    assert [path for path in command_paths() if f"qfc {path}" not in page] == []
    assert page.isascii()
