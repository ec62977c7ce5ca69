"""Names that every device can store, and those that are refused with a reason."""

from __future__ import annotations

import pytest

from qfc_node.storage.errors import UnsafeNameError
from qfc_node.storage.names import MAX_NAME_BYTES, check_name


@pytest.mark.parametrize(
    "name",
    [
        "survey.qgs",
        "DCIM/photo 1.jpg",
        "a/b/c/d.txt",
        ".hidden",
        "ümläut-日本語.gpkg",
        "a..b",
        "concrete/x",
        "x" * 255,
        "é" * 127 + "x",
    ],
)
def test_ordinary_names_are_accepted(name: str) -> None:
    check_name(name)


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("", "no name"),
        ("../secret", "not a name"),
        ("a/../../b", "not a name"),
        ("a//b", "not a name"),
        ("a/", "not a name"),
        ("./a", "not a name"),
        ("/etc/passwd", "relative"),
        ("a\\b", "character"),
        ("a:b", "character"),
        ("what?", "character"),
        ("a\x00b", "control"),
        ("a\nb", "control"),
        ("a\x7fb", "control"),
        ("a\ud800b", "control"),
        ("trailing.", "dot or a space"),
        ("trailing /x", "dot or a space"),
        ("CON", "reserved"),
        ("con.txt", "reserved"),
        ("COM¹.txt", "reserved"),
        ("a/lpt³", "reserved"),
        ("nul .txt", "reserved"),
        ("a/LPT1.gpkg", "reserved"),
        ("é" * 128, "longer than 255 bytes"),
        ("x" * 256, "longer than 255 bytes"),
        ("/".join(["abcdefghi"] * 150), "longer than 1000"),
    ],
)
def test_unsafe_names_are_refused_with_the_reason(name: str, why: str) -> None:
    with pytest.raises(UnsafeNameError, match=why):
        check_name(name)


def test_a_whole_name_is_measured_in_bytes_and_may_be_as_long_as_is_said() -> None:
    folders = "/".join(["é" * 100] * 4)  # of 803 bytes
    check_name(f"{folders}/{'x' * (MAX_NAME_BYTES - 804)}")
    with pytest.raises(UnsafeNameError, match="longer than 1000"):
        check_name(f"{folders}/{'x' * (MAX_NAME_BYTES - 803)}")
