"""`.env` files: read, and changed without touching any other byte."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qfc.errors import ConfigError
from qfc.stack.env_file import EnvFile
from recorded import recorded

COMPOSE: list[dict[str, Any]] = recorded("compose_env")
FILE = """# Where clients find it
QFIELDCLOUD_HOST=field.example.org

export DEBUG=0   # never 1
SECRET_KEY='a$b#c'
EMPTY=
QGIS_IMAGE="${QFIELDCLOUD_HOST}/qgis:${TAG:-latest}" # made here
ONLY_A_NAME
"""


def values(text: str) -> dict[str, str]:
    return dict(EnvFile(text).values)


def changed(text: str, **changes: str) -> str:
    return EnvFile(text).with_values(changes).text


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("A=b", "b"),
        ("A = b", "b"),
        ("  export A=b", "b"),
        ("A=", ""),
        ("A=b c", "b c"),
        ("A=b # why", "b"),
        ("A=b#c", "b#c"),
        ("A='b # c'", "b # c"),
        ('A="b # c" # why', "b # c"),
        ('A="b\\"c\\nd"', 'b"c\nd'),
        ("A='b\nc'", "b\nc"),
        ("A=b=c", "b=c"),
        ("A=C:\\new", "C:\\new"),
        ("A=b\r", "b"),
        ("\ufeffA=b", "b"),
    ],
)
def test_a_value_is_what_compose_takes_it_for(line: str, value: str) -> None:
    assert values(f"{line}\n") == {"A": value}


@pytest.mark.parametrize(
    ("line", "value"),
    [("${A}/b", "a/b"), ('"${A}/b"', "a/b"), ("'${A}/b'", "${A}/b"), ("${NO}b", "b"), ("${NO:-x}", "x")],
)
def test_a_value_refers_to_those_before_it(line: str, value: str) -> None:
    assert values(f"A=a\nB={line}\n")["B"] == value


def test_the_last_line_of_a_name_counts() -> None:
    assert values("A=1\nB=${A}\nA=2\n") == {"A": "2", "B": "1"}


def test_a_whole_file() -> None:
    assert values(FILE) == {
        "QFIELDCLOUD_HOST": "field.example.org",
        "DEBUG": "0",
        "SECRET_KEY": "a$b#c",
        "EMPTY": "",
        "QGIS_IMAGE": "field.example.org/qgis:latest",
    }


def test_every_line_that_cannot_be_read_is_named() -> None:
    with pytest.raises(ConfigError) as caught:
        _ = EnvFile("A=1\n\n\nno assignment\nB=2\nC='open\n", "/opt/.env").values
    assert caught.value.problems == ("/opt/.env, line 4: not NAME=value.", "/opt/.env, line 6: not NAME=value.")


def test_a_file_that_cannot_be_read_is_not_changed() -> None:
    with pytest.raises(ConfigError, match="line 1"):
        changed("no assignment\n", A="1")


def test_a_change_touches_one_line() -> None:
    assert changed(FILE, DEBUG="1") == FILE.replace("DEBUG=0 ", "DEBUG=1 ")


def test_a_comment_stays_behind_its_value() -> None:
    assert changed('A="b" # why\n', A="c") == "A=c # why\n"
    assert changed('A="b"# why\n', A="c") == "A=c # why\n"
    assert changed("A=b # why\n", A="c # d") == "A='c # d' # why\n"


def test_what_is_new_comes_last() -> None:
    assert changed("A=1", B="2", C="") == "A=1\nB=2\nC=\n"
    assert changed("", B="2") == "B=2\n"


def test_every_line_of_a_name_is_changed() -> None:
    assert changed("A=1\nB=2\nA=3\n", A="4") == "A=4\nB=2\nA=4\n"


def test_the_ends_of_lines_stay() -> None:
    assert changed("\ufeffA=1\r\nB=2\r\n", A="3") == "\ufeffA=3\r\nB=2\r\n"
    assert changed("A=1\nB=2", B="3") == "A=1\nB=3"


def test_a_value_of_several_lines_is_replaced_as_a_whole() -> None:
    assert changed("A='1\n2 # no comment'\nB=2\n", A="3") == "A=3\nB=2\n"


@pytest.mark.parametrize(
    ("value", "line"),
    [
        ("a b", "A=a b"),
        (" a", "A=' a'"),
        ("a$b", "A='a$b'"),
        ('say "a"', "A='say \"a\"'"),
        ("it's", 'A="it\'s"'),
        ("C:\\a", "A=C:\\a"),
        ("\\\\nas\\share", "A=\\\\nas\\share"),
    ],
)
def test_quotes_are_written_where_they_are_needed(value: str, line: str) -> None:
    assert changed("", A=value) == f"{line}\n"
    assert values(f"{line}\n") == {"A": value}


@pytest.mark.parametrize("value", ["it's $5", "it's \\", "#\\"])
def test_what_no_line_means_to_all_is_refused(value: str) -> None:
    with pytest.raises(
        ConfigError, match=r"^A: this value cannot be written so that every release of Compose reads it alike"
    ):
        changed("A=1\n", A=value)


def test_values_are_in_no_repr() -> None:
    assert "hunter2" not in repr(EnvFile("PASSWORD=hunter2\n"))


@pytest.mark.parametrize("case", COMPOSE, ids=lambda case: repr(case["text"]))
def test_a_file_is_read_as_compose_reads_it(case: dict[str, Any]) -> None:
    """The readings were recorded from `docker compose config` 2.26.1; null is a file that it refuses."""
    text, expected = case["text"], case["values"]
    if expected is None:
        with pytest.raises(ConfigError):
            values(text)
        return
    assert {name: value for name, value in values(text).items() if name in ("A", "B")} == expected


#: The stores as official examples have them: JSON over several lines.
STORAGES = """'{
    "default": {"BACKEND": "s3", "OPTIONS": {"secret_key": "a#b$c"}}
}'"""


def test_a_value_of_several_lines_comes_back_as_it_was() -> None:
    text = f"# Stores\nSTORAGES={STORAGES}  # JSON\nB=1\n"
    assert json.loads(values(text)["STORAGES"])["default"]["OPTIONS"] == {"secret_key": "a#b$c"}
    kept = EnvFile(text).statements_of(["STORAGES", "C"])
    broken = EnvFile(text).with_values({"STORAGES": '{"default": {', "C": "2"})
    assert broken.text == "# Stores\nSTORAGES='{\"default\": {'  # JSON\nB=1\nC=2\n"
    assert broken.with_statements(kept).text == text


@pytest.mark.parametrize(
    ("before", "value", "after"),
    [
        ("A=b # why\n", "", "A='' # why\n"),
        ("A='b'\t# why\n", "c", "A=c # why\n"),
        ("A='b' B=2\n", "c", "A=c\nB=2\n"),
        ("A='b'B=2\n", "c#", "A='c#'B=2\n"),
        ("A\n", "c", "A=c\n"),
        ("A: b\n", "c", "A: c\n"),
        ("A=\r\nB=2\r\n", "c", "A=c\r\nB=2\r\n"),
    ],
)
def test_what_follows_a_value_does_not_become_part_of_the_new_one(before: str, value: str, after: str) -> None:
    assert changed(before, A=value) == after
    assert values(after)["A"] == value


lines = st.sampled_from(
    ["# a comment\n", "\n", "   \n", "B=1\n", "export B='x y' # why\n", 'B="${C}"\n', "C=\n", "D\n", "E=1 # why\r\n",
     f"B={STORAGES}\n", 'C="1\n2 ${B:-x}\n"\t# why\n', "  B : it's\n", "C='x'#why\n", "\tD=$B$$ # 'q\n"]
)  # fmt: skip
odd_texts = st.text(st.sampled_from("a1 '\"\\#$\n\t=é{}"), max_size=12)


@given(st.lists(lines).map("".join))
def test_without_changes_it_is_as_it_was(text: str) -> None:
    assert changed(text) == text


@given(st.text(st.characters(codec="utf-8")))
def test_any_text_is_read_or_refused_and_never_changed(text: str) -> None:
    try:
        assert changed(text) == text
    except ConfigError as error:
        assert all("line" in problem for problem in error.problems)


@given(before=st.lists(lines), after=st.lists(lines), old=st.sampled_from(["A=1", "A='x' # why", ""]), value=odd_texts)
def test_what_is_written_is_read_back_and_other_lines_stay(
    before: list[str], after: list[str], old: str, value: str
) -> None:
    head, tail = "".join(before), "".join(after)
    text = f"{head}{old}\n{tail}"
    try:
        written = changed(text, A=value)
    except ConfigError:
        assert "'" in value or "\\" in value
        return
    assert values(written) == {**values(text), "A": value}
    assert written.startswith(head)
    assert written.endswith(tail) if old else written.startswith(text)


@given(
    text=st.lists(st.one_of(lines, st.sampled_from(["A=1\n", "A='x\ny' # why\n", "export A=\r\n", "A='x'# why\n"]))),
    value=odd_texts,
)
def test_an_undone_change_leaves_every_byte_as_it_was(text: list[str], value: str) -> None:
    before = EnvFile("".join(text))
    kept = before.statements_of(["A", "NEW"])
    try:
        broken = before.with_values({"A": value, "NEW": value})
    except ConfigError:
        return
    assert broken.with_statements(kept) == before
