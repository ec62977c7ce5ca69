"""The common base of the admin's pages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from django.contrib import admin
from django.db import models
from django.http import HttpRequest

Row = TypeVar("Row", bound=models.Model)

if TYPE_CHECKING:
    Page = admin.ModelAdmin
    Table = admin.TabularInline
    Stack = admin.StackedInline
else:

    class Brackets:
        """Lets Django's classes be subscripted, as type checkers require."""

        def __class_getitem__(cls, _: Any) -> type:
            return cls

    class Page(Brackets, admin.ModelAdmin):
        """A page."""

    class Table(Brackets, admin.TabularInline):
        """Rows of another table on a page."""

    class Stack(Brackets, admin.StackedInline):
        """A row of another table on a page."""


class NodeAdmin(Page[Row]):
    """A page that stays fast with a million rows: no total count, search instead of long lists."""

    list_per_page = 50
    show_full_result_count = False


class ReadOnlyAdmin(NodeAdmin[Row]):
    """A page that shows rows and never changes them, because only the node writes them."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Refuse: only the node adds such rows."""
        del request
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Refuse: only the node changes such rows."""
        del request, obj
        return False
