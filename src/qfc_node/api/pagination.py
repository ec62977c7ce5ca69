"""Pages: `limit` and `offset` in the query, the total and the neighbouring pages in headers.

Without `limit` the whole list is returned, as clients expect that do not know pages.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from django.db.models import Model, QuerySet
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.utils.urls import replace_query_param

from .fields import Whole

Row = TypeVar("Row", bound=Model)


class PageQuery(serializers.Serializer[Any]):
    """The requested part of a list."""

    limit = Whole(min_value=1, required=False, help_text="Number of items; without it, all.")
    offset = Whole(required=False, help_text="Number of items to skip first.")


@dataclass(frozen=True)
class Page:
    """A part of a list, and the headers that describe it."""

    rows: list[Any]
    headers: dict[str, str]


@dataclass(frozen=True)
class QueriedPage(Generic[Row]):
    """A part of a list that has not been read yet, and the headers that describe it."""

    rows: QuerySet[Row]
    headers: dict[str, str]


def paginate(request: Request, rows: QuerySet[Row], query: dict[str, Any]) -> Page:
    """Return the requested part of the rows. `query` is the checked `PageQuery`."""
    page = page_of(request, rows, query)
    return Page(list(page.rows), page.headers)


def page_of(request: Request, rows: QuerySet[Row], query: dict[str, Any]) -> QueriedPage[Row]:
    """Return the requested part of the rows, not read yet. `query` is the checked `PageQuery`."""
    limit: int | None = query.get("limit")
    offset: int = query.get("offset", 0)
    if limit is None:
        return QueriedPage(rows[offset:], {})
    total = rows.count()
    headers = {"X-Total-Count": str(total), **_neighbours(request, limit, offset, total)}
    return QueriedPage(rows[offset : offset + limit], headers)


def _neighbours(request: Request, limit: int, offset: int, total: int) -> dict[str, str]:
    headers: dict[str, str] = {}
    if offset + limit < total:
        headers["X-Next-Page"] = _address(request, limit, offset + limit)
    if offset > 0:
        headers["X-Previous-Page"] = _address(request, limit, max(0, offset - limit))
    return headers


def _address(request: Request, limit: int, offset: int) -> str:
    address: str = replace_query_param(request.build_absolute_uri(), "limit", limit)
    return replace_query_param(address, "offset", offset)
