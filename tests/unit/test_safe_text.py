"""Text of others is harmless on a terminal, whichever way it is written."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest

from qfc.cli.output import Writer
from qfc.errors import NotFoundError

HOSTILE = ["\x1b]0;title\x07", "\x1b[2J", "\x9b31m", "\r overwritten", "\u202egpj.exe", "\u2066x\u2069", "\x7f", "\x00"]


def written(as_json: bool, write: Any) -> str:
    out, err = io.StringIO(), io.StringIO()
    write(Writer(as_json=as_json, quiet=False, out=out, err=err))
    return out.getvalue() + err.getvalue()


@pytest.mark.parametrize("text", HOSTILE, ids=ascii)
@pytest.mark.parametrize("as_json", [True, False])
def test_no_way_of_writing_lets_controls_through(text: str, as_json: bool) -> None:
    ways = (
        lambda writer: writer.line(text),
        lambda writer: writer.remark(text),
        lambda writer: writer.table(("A",), [(text,)]),
        lambda writer: writer.error(NotFoundError(text, hint=text)),
        lambda writer: writer.result({"name": text, text: 1}, lambda own: own.line(text)),
    )
    for way in ways:
        seen = written(as_json, way)
        assert seen
        assert all(character.isprintable() or character == "\n" for character in seen), ascii(seen)


def test_json_keeps_what_it_escapes() -> None:
    document = {"names": HOSTILE}
    assert json.loads(written(True, lambda writer: writer.result(document, lambda _: None))) == document


def test_our_own_colours_stay_where_there_are_any() -> None:
    writer = Writer(as_json=False, quiet=False, out=io.StringIO())
    writer.colour = True
    writer.line(writer.paint("ok") + "\x1b[2J")
    assert writer.out.getvalue() == "\x1b[32mok\x1b[0m\\x1b[2J\n"  # pyright: ignore[reportAttributeAccessIssue]
