"""What the pages of the admin have in common."""

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
        """Lets Django's classes carry the brackets that type checkers want."""

        def __class_getitem__(cls, _: Any) -> type:
            return cls

    class Page(Brackets, admin.ModelAdmin):
        """A page."""

    class Table(Brackets, admin.TabularInline):
        """Rows of another table on a page."""

    class Stack(Brackets, admin.StackedInline):
        """A row of another table on a page."""


class NodeAdmin(Page[Row]):
    """A page that stays quick with a million rows: no count of everything, long lists by search."""

    list_per_page = 50
    show_full_result_count = False


class ReadOnlyAdmin(NodeAdmin[Row]):
    """A page that shows and never changes: these rows are written by the node alone."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Nobody adds such rows by hand."""
        del request
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody changes such rows by hand."""
        del request, obj
        return False
