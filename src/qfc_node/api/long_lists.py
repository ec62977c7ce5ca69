"""Answer lists of any length in bounded memory: item by item into a spool, which the server sends.

Old clients do not know pages, so a list without `limit` is complete.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping
from itertools import chain
from typing import Any, TypeVar

from django.db import transaction
from django.db.models import Model, QuerySet
from django.http import FileResponse, HttpResponse
from django.http.response import HttpResponseBase
from rest_framework.renderers import JSONRenderer

Row = TypeVar("Row", bound=Model)

#: Most lists have fewer items, and cost one statement.
AT_ONCE = 20
#: Items that are in memory at a time; a delta may have many megabytes.
CHUNK = 20
IN_MEMORY_BYTES = 512 * 1024
TYPE = "application/json"


def answer_all(rows: QuerySet[Row], describe: Callable[[Row], Any], headers: Mapping[str, str]) -> HttpResponseBase:
    """Return the response with all rows as a JSON list."""
    spool = tempfile.SpooledTemporaryFile(IN_MEMORY_BYTES)  # noqa: SIM115  (the response closes it)
    render = JSONRenderer().render
    with transaction.atomic():
        spool.write(b"[")
        for number, row in enumerate(_each(rows)):
            spool.write(b"," if number else b"")
            spool.write(render(describe(row)))
        spool.write(b"]")
    size = spool.tell()
    spool.seek(0)
    if size <= IN_MEMORY_BYTES:
        with spool:
            return HttpResponse(spool.read(), content_type=TYPE, headers=dict(headers))
    return FileResponse(spool, content_type=TYPE, headers={**headers, "Content-Length": str(size)})


def _each(rows: QuerySet[Row]) -> Iterator[Row]:
    first = list(rows[:AT_ONCE])
    if len(first) < AT_ONCE:
        return iter(first)
    return chain(first, rows[AT_ONCE:].iterator(CHUNK))
