"""Lists of projects as QField, QFieldSync and the SDK ask for them."""

from __future__ import annotations

from typing import Any

import pytest

from qfc.drivers.postgres_server import Endpoint


@pytest.fixture
def alice(node_database: Endpoint) -> Any:
    from api_world import person

    return person("alice")


@pytest.fixture
def world(alice: Any) -> Any:
    """Alice has two projects; Bob has a public one, a hidden one and one whose name Alice's has in another case."""
    from api_world import Speaker, person
    from qfc_node.core.models import Project

    bob = person("bob")
    for name in ("Trees", "poles"):
        Project.objects.create(name=name, owner=alice)
    Project.objects.create(name="roads of town", owner=bob, is_public=True)
    Project.objects.create(name="hidden", owner=bob)
    return Speaker(alice, "qfield")


def names(answer: Any) -> list[str]:
    assert answer.status_code == 200, answer.content
    return [project["name"] for project in answer.json()]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", ["Trees", "poles"]),
        ("limit=250&offset=0", ["Trees", "poles"]),
        ("include_public=0", ["Trees", "poles"]),
        ("include_public=1", ["Trees", "poles", "roads of town"]),
        ("include-public=1", ["Trees", "poles", "roads of town"]),
        ("owner=&search=&include_public=1&limit=250&offset=0", ["Trees", "poles", "roads of town"]),
        ("owner=&search=ROAD&include_public=1&limit=250&offset=0", ["roads of town"]),
        ("search=town+road&include_public=1", ["roads of town"]),
        ("search=bob,road&include_public=1", ["roads of town"]),
        ("search=bob&include_public=1", ["roads of town"]),
        ("search=bob", []),
        ("search=nothing&include_public=1", []),
        ("owner=&name=trees&include_public=1", ["Trees"]),
        ("owner=ALICE&name=TREES&include_public=1", ["Trees"]),
        ("owner=bob&name=Roads%20of%20Town&include_public=1", ["roads of town"]),
        ("owner=bob&name=hidden&include_public=1", []),
        ("ordering=name", ["Trees", "poles"]),
        ("ordering=-name", ["poles", "Trees"]),
        ("ordering=created_at", ["Trees", "poles"]),
        ("ordering=-owner,name&include_public=1", ["roads of town", "Trees", "poles"]),
        ("ordering=-created_at&include_public=1", ["roads of town", "poles", "Trees"]),
        ("ordering=nonsense", ["Trees", "poles"]),
    ],
)
def test_the_filters(world: Any, query: str, expected: list[str]) -> None:
    answer = world.get(f"projects/?{query}")
    collated = names(answer)
    assert sorted(collated) == sorted(expected)
    if "ordering" in query and "nonsense" not in query:
        assert collated == in_the_order_of_the_database(query, expected)


def in_the_order_of_the_database(query: str, expected: list[str]) -> list[str]:
    """The collation of the database decides whether `Trees` comes before `poles`."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("select 'Trees' < 'poles'")
        (by_code,) = cursor.fetchone() or (True,)
    if by_code or "created_at" in query:
        return expected
    swapped = {"Trees": "poles", "poles": "Trees"}
    return [swapped.get(name, name) for name in expected]


def test_the_same_case_comes_first(world: Any, alice: Any) -> None:
    """QField opens the first project that a link names."""
    from qfc_node.core.models import Project

    Project.objects.create(name="TREES", owner=alice)
    Project.objects.create(name="trees", owner=alice)
    assert names(world.get("projects/?owner=alice&name=trees&include_public=1"))[0] == "trees"
    assert names(world.get("projects/?owner=alice&name=Trees&include_public=1"))[0] == "Trees"


def test_featured_projects_come_first(world: Any) -> None:
    from qfc_node.core.models import Project

    Project.objects.filter(name="roads of town").update(is_featured=True)
    assert names(world.get("projects/?include_public=1"))[0] == "roads of town"
    assert names(world.get("projects/?include_public=1&ordering=owner"))[0] == "roads of town"
    assert names(world.get("projects/public/?ordering=-name")) == ["roads of town"]


def test_pages_of_a_search_keep_the_search(world: Any) -> None:
    answer = world.get("projects/?owner=&search=e&include_public=1&limit=1&offset=0")
    assert answer["X-Total-Count"] == "2"
    assert "search=e" in answer["X-Next-Page"]
    assert "offset=1" in answer["X-Next-Page"]
