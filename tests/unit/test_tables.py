"""Tables: aligned and folded to the terminal's width for readers; one line per row for files and other programs."""

from __future__ import annotations

import io
import os
import re
import subprocess
import sys
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from qfc.cli.output import Writer
from qfc.cli.tables import columns_of, cut, facts, paragraph, wrapped

STATUS_HEAD = ("SERVICE", "STATE", "HEALTH", "UP", "PID", "CPU", "MEMORY", "UPTIME", "RESTARTS")
STATUS = [
    ("db", "running", "healthy", "1/1", 299361, "0 %", "28.6 MB", "5 h 12 min", 0),
    ("worker_wrapper", "running", "none", "2/2", "", "", "", "", ""),
    ("  worker_wrapper-1", "running", "", "", 112021, "100 %", "53.0 MB", "4 d 23 h", 12),
]
LONG = "failed: the database does not answer"
ANSI = re.compile(r"\033\[[0-9;]*m")


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def terminal(monkeypatch: pytest.MonkeyPatch, width: int, **environment: str) -> Writer:
    for name in ("NO_COLOR", "COLUMNS", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    for name, value in {"TERM": "xterm", "COLUMNS": str(width), **environment}.items():
        monkeypatch.setenv(name, value)
    return Writer(as_json=False, quiet=False, out=Terminal(), err=io.StringIO())


def file(monkeypatch: pytest.MonkeyPatch) -> Writer:
    monkeypatch.delenv("COLUMNS", raising=False)
    return Writer(as_json=False, quiet=False, out=io.StringIO(), err=io.StringIO())


def printed(writer: Writer) -> list[str]:
    assert isinstance(writer.out, io.StringIO)
    return writer.out.getvalue().splitlines()


def test_what_fits_has_wide_gaps_and_no_borders(monkeypatch: pytest.MonkeyPatch) -> None:
    writer = terminal(monkeypatch, 30, NO_COLOR="1")
    writer.table(("NAME", "SIZE"), [("a", 5), ("longer", None)], right=(1,))
    assert printed(writer) == ["NAME    SIZE", "a          5", "longer     -"]


@pytest.mark.parametrize(
    ("width", "lines"),
    [
        (15, ["A     BBBBBB  C", "word"]),
        (14, ["A    BBBBBB C", "word"]),
        (13, ["A    BBBBBB C", "word"]),
        (12, ["     BBBBB", "A    B     C", "word"]),
    ],
)
def test_gaps_become_narrow_before_anything_is_folded(
    monkeypatch: pytest.MonkeyPatch, width: int, lines: list[str]
) -> None:
    writer = terminal(monkeypatch, width)
    writer.table(("A", "BBBBBB", "C"), [("word", "", "")])
    assert printed(writer) == lines


def test_the_status_of_a_stack_fits_eighty_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    writer = terminal(monkeypatch, 80, NO_COLOR="1")
    writer.table(STATUS_HEAD, STATUS, right=(3, 4, 5, 6, 7, 8), folded=(0,))
    assert printed(writer) == [
        "SERVICE            STATE   HEALTH   UP    PID   CPU  MEMORY     UPTIME RESTARTS",
        "db                 running healthy 1/1 299361   0 % 28.6 MB 5 h 12 min        0",
        "worker_wrapper     running none    2/2",
        "  worker_wrapper-1 running             112021 100 % 53.0 MB   4 d 23 h       12",
    ]


def test_sentences_are_folded_between_words_and_other_columns_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    writer = terminal(monkeypatch, 40)
    writer.table(("WHEN", "WHO", "RESULT"), [("2026-11-30", "anna@laptop", LONG)], folded=(2,))
    assert printed(writer) == [
        "WHEN       WHO         RESULT",
        "2026-11-30 anna@laptop failed: the",
        "                       database does not",
        "                       answer",
    ]


def test_where_one_column_would_be_too_narrow_others_are_folded_before_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    writer = terminal(monkeypatch, 32)
    writer.table(("WHEN", "WHO", "TOOK"), [("2026-11-30 10:20:30", "a" * 20, "123456.7 s")], right=(2,), folded=(1,))
    assert printed(writer) == [
        "WHEN       WHO              TOOK",
        "2026-11-30 aaaaaaaaaa 123456.7 s",
        "10:20:30   aaaaaaaaaa",
    ]


def test_nothing_is_folded_or_cut_for_a_file_or_another_program(monkeypatch: pytest.MonkeyPatch) -> None:
    writer = file(monkeypatch)
    writer.table(("A", "B"), [("x" * 300, "y" * 300)], folded=(1,))
    paragraph(writer, "word " * 100 + "end\nof it", indent=2)
    facts(writer, [("Name", "z" * 300), ("None", None)])
    assert [len(line) for line in printed(writer)] == [303, 602, 511, 306]


def test_columns_may_be_given_for_what_goes_to_a_file_too(monkeypatch: pytest.MonkeyPatch) -> None:
    writer = file(monkeypatch)
    monkeypatch.setenv("COLUMNS", "20")
    writer.table(("A", "B"), [("x", "y" * 30)])
    assert printed(writer) == ["A B", f"x {'y' * 18}", f"  {'y' * 12}"]


def test_a_cell_is_one_line_and_controls_no_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    writer = file(monkeypatch)
    writer.table(("NAME", "SIZE"), [("two\nlines\t\033[2Jx", 1)])
    assert printed(writer) == ["NAME            SIZE", "two lines [2Jx  1"]


@pytest.mark.parametrize("width", [200, 24])
def test_names_in_wide_characters_are_aligned(monkeypatch: pytest.MonkeyPatch, width: int) -> None:
    writer = terminal(monkeypatch, width)
    writer.table(("PROJECT", "SIZE"), [("測量計画", 1), ("日本語プロジェクト測量", 22), ("🚜 field", 3)], right=(1,))
    lines = printed(writer)
    numbers = [line for line in lines if re.search(r"\d$", line)]
    assert len(numbers) == 3
    assert len({cell_len(line) for line in [lines[0], *numbers]}) == 1
    assert max(map(cell_len, lines)) <= width


@pytest.mark.parametrize("width", [60, 20])
@pytest.mark.parametrize(
    ("environment", "coloured"),
    [({}, True), ({"NO_COLOR": "1"}, False), ({"NO_COLOR": ""}, True), ({"TERM": "dumb"}, False)],
)
def test_states_are_coloured_where_colours_are_wanted(
    monkeypatch: pytest.MonkeyPatch, width: int, environment: dict[str, str], coloured: bool
) -> None:
    writer = terminal(monkeypatch, width, **environment)
    writer.table(("NAME", "STATE"), [("a b c d e f g h i j k", "failed"), ("b", "running")], folded=(0,))
    said = "\n".join(printed(writer))
    assert (("\033[31m" in said), ("\033[32m" in said)) == (coloured, coloured)
    assert "failed" in ANSI.sub("", said)
    assert writer.paint("ok") == ("\033[32mok\033[0m" if coloured else "ok")


words = st.text("abc 測量🚜-", min_size=1, max_size=30)


@given(st.lists(st.tuples(words, words, words), min_size=1, max_size=4), st.integers(12, 70))
def test_every_character_is_shown_and_no_line_is_wider(rows: Sequence[Sequence[str]], width: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        writer = terminal(patch, width, NO_COLOR="1")
        writer.table(("A", "B", "C"), rows, right=(2,))
        lines = printed(writer)
    assert max(map(cell_len, lines)) <= width
    assert letters(lines) == letters(["ABC", *("".join(row) for row in rows)])


def letters(lines: Sequence[str]) -> list[str]:
    return sorted("".join("".join(lines).split()))


@given(st.text("ab 測量-→", max_size=80), st.integers(10, 40))
def test_sentences_are_wrapped_to_columns(text: str, width: int) -> None:
    lines = wrapped(text, width)
    assert max(map(columns_of, lines)) <= width
    assert "".join("".join(lines).split()) == "".join(text.split())


@pytest.mark.parametrize(
    ("text", "width", "expected"),
    [("abcdef", 6, "abcdef"), ("abcdef", 5, "abcd…"), ("測量計画", 8, "測量計画"), ("測量計画", 7, "測量計…"),
     ("測量計画", 6, "測量…"), ("abcdef", sys.maxsize, "abcdef"), ("abcdef", 1, "…")],
)  # fmt: skip
def test_a_name_is_cut_to_columns(text: str, width: int, expected: str) -> None:
    assert cut(text, width) == expected


def test_rich_is_not_loaded_for_what_fits() -> None:
    code = (
        "import sys; from qfc.cli.output import Writer; w = Writer(as_json=False, quiet=False);"
        "w.table(('A',), [('x' * 500,)]); assert not [name for name in sys.modules if name.startswith('rich')]"
    )
    without_terminal = {name: value for name, value in os.environ.items() if name != "COLUMNS"}
    subprocess.run([sys.executable, "-c", code], check=True, stdout=subprocess.DEVNULL, env=without_terminal)
