"""Writers: one document for programs, tables and three-line errors for operators, only the result with --quiet."""

from __future__ import annotations

import io
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

from qfc.cli.output import Writer, bytes_text, plain, seconds_text
from qfc.errors import ConfigError, QfcError
from qfc.stack.model import Verdict


@dataclass(frozen=True)
class Thing:
    verdict: Verdict
    at: datetime
    where: Path
    parts: tuple[str, ...]


THING = Thing(Verdict.OK, datetime(2026, 1, 2, tzinfo=UTC), Path("/x"), ("a", "b"))


def writer(*, as_json: bool = False, quiet: bool = False) -> tuple[Writer, io.StringIO, io.StringIO]:
    out, err = io.StringIO(), io.StringIO()
    return Writer(as_json=as_json, quiet=quiet, out=out, err=err), out, err


def test_a_result_becomes_plain_values() -> None:
    assert plain(THING) == {"verdict": "ok", "at": "2026-01-02T00:00:00+00:00", "where": "/x", "parts": ["a", "b"]}


def test_json_is_exactly_one_document() -> None:
    one, out, _ = writer(as_json=True, quiet=True)
    one.result(THING, lambda _: pytest.fail("wrote for people"), quiet="ok")
    assert json.loads(out.getvalue())["verdict"] == "ok"


def test_quiet_prints_the_result_and_no_remark() -> None:
    one, out, err = writer(quiet=True)
    one.remark("working")
    one.result(THING, lambda _: pytest.fail("wrote for people"), quiet="ok")
    assert (out.getvalue(), err.getvalue()) == ("ok\n", "")


def test_remarks_go_to_standard_error() -> None:
    one, out, err = writer(as_json=True)
    one.remark("working")
    assert (out.getvalue(), err.getvalue()) == ("", "working\n")


def test_a_table_is_aligned() -> None:
    one, out, _ = writer()
    one.table(("NAME", "SIZE"), [("a", 5), ("longer", None)], right=(1,))
    assert out.getvalue().splitlines() == ["NAME    SIZE", "a          5", "longer     -"]


def test_an_empty_table_has_its_head() -> None:
    one, out, _ = writer()
    one.table(("NAME", "SIZE"), [])
    assert out.getvalue() == "NAME  SIZE\n"


def test_an_error_is_at_most_three_lines() -> None:
    one, out, err = writer()
    try:
        try:
            raise OSError("disk\nfull")
        except OSError as cause:
            raise QfcError("It cannot\nbe written.", hint="Type: df") from cause
    except QfcError as error:
        one.error(error)
    assert err.getvalue().splitlines() == ["Error: It cannot be written.", "Why: disk full", "Type: df"]
    assert out.getvalue() == ""


def test_an_error_for_machines_has_code_message_and_hint() -> None:
    one, out, err = writer(as_json=True)
    one.error(ConfigError(["a is wrong", "b too"], hint="Correct it."))
    document = json.loads(out.getvalue())
    assert document == {
        "error": {
            "code": "configuration",
            "message": "a is wrong; b too",
            "hint": "Correct it.",
            "problems": ["a is wrong", "b too"],
        }
    }
    assert err.getvalue() == ""


@pytest.mark.parametrize(
    ("size", "text"),
    [(0, "0 B"), (999, "999 B"), (1400, "1.4 kB"), (52_000_000, "52.0 MB"), (120_000_000, "120 MB"), (3e12, "3.0 TB")],
)
def test_sizes_as_people_read_them(size: float, text: str) -> None:
    assert bytes_text(size) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.42, "0.4 s"), (59, "59 s"), (60, "1 min"), (5 * 3600 + 720, "5 h 12 min"), (4 * 86400 + 10800, "4 d 3 h")],
)
def test_durations_as_people_read_them(seconds: float, text: str) -> None:
    assert seconds_text(seconds) == text
