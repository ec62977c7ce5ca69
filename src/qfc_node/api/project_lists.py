"""Lists of projects: which of them a query means, and in which order."""

from __future__ import annotations

from typing import Any

from django.db.models import Case, Q, QuerySet, Value, When

from ..core.models import Project

Query = dict[str, Any]

#: Names of the query's `ordering`, and the columns they mean.
ORDERINGS = {"owner": "owner__username", "name": "name", "created_at": "created_at"}


def chosen(projects: QuerySet[Project], query: Query) -> QuerySet[Project]:
    """Return the projects that a checked `ProjectQuery` means; `projects` comes from `with_roles`."""
    wanted = Q(held_role__isnull=False)
    if query.get("include_public") or query.get("include-public"):
        wanted |= Q(is_public=True)
    if query.get("owner"):
        wanted &= Q(owner__username__iexact=query["owner"])
    if query.get("name"):
        wanted &= Q(name__iexact=query["name"])
    for word in query.get("search", "").replace(",", " ").split():
        wanted &= Q(name__icontains=word) | Q(owner__username__icontains=word)
    return projects.filter(wanted)


def in_order(projects: QuerySet[Project], query: Query) -> QuerySet[Project]:
    """Sort projects as the query asks, featured ones first. Unknown fields count as none.

    QField opens the first one that a link names: that in which even the case is the same comes before all others.
    """
    if query.get("name"):
        projects = projects.alias(is_other_case=_is_other_case(query["name"]))
        return projects.order_by("is_other_case", *_keys(query))
    return projects.order_by(*_keys(query))


def _is_other_case(name: str) -> Case:
    return Case(When(name=name, then=Value(0)), default=Value(1))


def _keys(query: Query) -> list[str]:
    asked = [word.strip() for word in query.get("ordering", "").split(",")]
    keys = [_key(word) for word in asked if word.removeprefix("-") in ORDERINGS]
    return ["-is_featured", *(keys or ["owner__username", "name"]), "pk"]


def _key(word: str) -> str:
    return f"-{ORDERINGS[word[1:]]}" if word.startswith("-") else ORDERINGS[word]
