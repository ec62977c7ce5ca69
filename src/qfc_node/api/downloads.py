"""Send files: whole files through the server's sendfile, parts as ranges, nothing if the client's copy is current."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import PurePosixPath
from typing import BinaryIO, cast

from django.http import FileResponse, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.http import (
    content_disposition_header,  # pyright: ignore[reportAttributeAccessIssue, reportUnknownVariableType]  (stubs lag)
    http_date,
)
from rest_framework.request import Request

from ..core import file_versions
from ..core.models import FileVersion
from ..storage.errors import NoRoomError
from ..storage.file_part import FilePart
from ..storage.outgoing import Outgoing
from .errors import ApiError

RANGE = re.compile(r"bytes=(\d*)-(\d*)")
CONTENT_TYPE = "application/octet-stream"


@dataclass(frozen=True)
class Span:
    """Bytes from `start` (included) to `end` (excluded)."""

    start: int
    end: int


class RangeNotSatisfiableError(ApiError):
    """The requested range is outside the file."""

    status_code = 416
    code = "invalid_http_range"
    message = "The file does not have this range"


def send(request: Request, version: FileVersion, name: str) -> HttpResponseBase:
    """Return a response with the bytes of a version, or with the part that `Range` requests. Raises StorageError."""
    if _is_copy_current(request, version):
        return _with_headers(HttpResponse(status=304), version, name)
    span = _wanted(request, version)
    if span is None:
        whole = FileResponse(_opened(version, Span(0, version.size)), content_type=CONTENT_TYPE)
        whole["Content-Length"] = str(version.size)
        return _with_headers(whole, version, name)
    if span.start >= version.size or span.end <= span.start:
        return _unsatisfiable(version)
    return _with_headers(_part(version, span), version, name)


def disposition(name: str) -> str:
    """Return the header that makes a browser save the file under its own name, without its folders."""
    return str(content_disposition_header(True, PurePosixPath(name).name))  # pyright: ignore[reportUnknownArgumentType]


def _is_copy_current(request: Request, version: FileVersion) -> bool:
    """Whether the client's copy is current. Clients send the tag with or without quotes."""
    tags = request.headers.get("If-None-Match")
    if tags is not None:
        known = {tag.strip().removeprefix("W/").strip('"') for tag in tags.split(",")}
        return bool(known & {version.entity_tag, "*"})
    since = _date(request.headers.get("If-Modified-Since"))
    return since is not None and version.uploaded_at.replace(microsecond=0) <= since


def _date(text: str | None) -> datetime | None:
    try:
        moment = parsedate_to_datetime(text) if text else None
    except (TypeError, ValueError, IndexError):
        return None
    return moment.replace(tzinfo=moment.tzinfo or UTC) if moment else None


def _wanted(request: Request, version: FileVersion) -> Span | None:
    """Return the requested range; None for the whole file, also if several ranges are requested at once."""
    match = RANGE.fullmatch(request.headers.get("Range", "").replace(" ", ""))
    if match is None or match.groups() == ("", "") or not _is_current(request, version):
        return None
    first, last = match.groups()
    if not first:
        return Span(max(0, version.size - int(last[:20])), version.size if int(last[:20]) else 0)
    end = int(last[:20]) + 1 if last else version.size
    return Span(int(first[:20]), min(end, version.size))


def _is_current(request: Request, version: FileVersion) -> bool:
    condition = request.headers.get("If-Range")
    if condition is None:
        return True
    moment = _date(condition)
    if moment is not None:
        return version.uploaded_at.replace(microsecond=0) <= moment
    return condition.strip().strip('"') == version.entity_tag


def _unsatisfiable(version: FileVersion) -> HttpResponseBase:
    error = RangeNotSatisfiableError()
    return HttpResponse(
        f'{{"code": "{error.code}", "message": "{error.detail}"}}',
        status=error.status_code,
        content_type="application/json",
        headers={"Content-Range": f"bytes */{version.size}"},
    )


def _part(version: FileVersion, span: Span) -> HttpResponseBase:
    response = FileResponse(_opened(version, span), status=206, content_type=CONTENT_TYPE)
    response["Content-Length"] = str(span.end - span.start)
    response["Content-Range"] = f"bytes {span.start}-{span.end - 1}/{version.size}"
    return response


def _opened(version: FileVersion, span: Span) -> BinaryIO:
    """Open a part of a version. No thread waits for a client that reads slowly. Raises StorageError.

    A file of this machine is sent by the server itself; one of a store elsewhere waits on the disk.
    """
    source = file_versions.read(version)
    if source.seekable():
        is_whole = span == Span(0, version.size)
        return source if is_whole else cast(BinaryIO, FilePart(source, span.start, span.end))
    try:
        return cast(BinaryIO, Outgoing(source, span.start, span.end))
    except NoRoomError:
        source.close()
        raise


def _with_headers(response: HttpResponseBase, version: FileVersion, name: str) -> HttpResponseBase:
    response["ETag"] = f'"{version.entity_tag}"'
    response["Last-Modified"] = http_date(version.uploaded_at.timestamp())
    response["Accept-Ranges"] = "bytes"
    response["Content-Disposition"] = disposition(name)
    return response
