"""The official server's addresses, methods and codes, as the page of compatibility lists them, against the node."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "client_compatibility.md"
SECTION = "## The official server's addresses and codes of 2026"


def rows(columns: int) -> list[list[str]]:
    """Return the rows of the tables with so many columns in the section."""
    text = PAGE.read_text(encoding="utf-8").partition(SECTION)[2]
    found = [[cell.strip() for cell in line.strip("| ").split("|")] for line in text.splitlines() if line[:1] == "|"]
    return [row for row in found if len(row) == columns and row[0].startswith("`")]


def fields() -> list[tuple[str, list[str]]]:
    """Return the node's name of each answer with the official server's fields."""
    text = PAGE.read_text(encoding="utf-8").partition("\nWhat each answer holds.")[2]
    rows = [line.strip("| ").split(" | ") for line in text.splitlines() if line[:1] == "|"][2:]
    return [(name.strip("`"), re.findall(r"`(\w+)`", named)) for _, named, name in rows]


@pytest.fixture
def document(django_ready: None) -> dict[str, Any]:
    from drf_spectacular.generators import SchemaGenerator

    made: dict[str, Any] = SchemaGenerator().get_schema(request=None, public=True)
    return made


def test_every_address_is_served_or_has_a_reason(document: dict[str, Any]) -> None:
    listed = rows(3)
    assert len(listed) > 25
    missing: list[str] = []
    for addresses, methods, node in listed:
        assert re.match(r"(yes|no: \S)", node), node
        for address in re.findall(r"`([^`]+)`", addresses):
            offered = document["paths"].get(f"/api/v1/{address}", {})
            served = all(method.lower() in offered for method in methods.split(", "))
            if served != node.startswith("yes"):
                missing.append(f"{address} {methods}: {sorted(offered)}")
    assert missing == []


def test_every_field_is_told_or_has_a_reason(document: dict[str, Any]) -> None:
    listed = fields()
    assert len(listed) > 20
    shapes = document["components"]["schemas"]
    missing = {
        name: lost
        for name, named in listed
        if (lost := sorted(set(named) - set(shapes.get(name, {}).get("properties", {}))))
    }
    assert missing == {}, sorted(shapes)


def test_every_code_is_known_or_has_a_reason(django_ready: None) -> None:
    from qfc_node.api import error_answers, errors

    known = {each.code for each in vars(errors).values() if isinstance(each, type) and issubclass(each, Exception)}
    source = Path(str(error_answers.__file__)).read_text(encoding="utf-8")
    folder = Path(str(errors.__file__)).parent
    source += (folder / "downloads.py").read_text(encoding="utf-8")
    listed = rows(2)
    assert len(listed) > 5
    for codes, node in listed:
        for code in re.findall(r"`([^`]+)`", codes):
            assert (code in known or f'"{code}"' in source) == node.startswith("yes"), code


def test_better_answers_have_a_reason() -> None:
    """Each row of the table of differences names both answers."""
    text = PAGE.read_text(encoding="utf-8").partition("## Where the node answers better")[2].partition("\n## ")[0]
    lines = [line for line in text.splitlines() if line.startswith("| ")]
    assert len(lines) > 10
    assert all(len(line.strip("|").split("|")) == 4 for line in lines)
