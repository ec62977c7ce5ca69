"""What a drill compares, where a key has several versions."""

from __future__ import annotations

from qfc.operations.backup.restore_objects import broken_names, newest
from qfc.stack.backup_set import Located, Place, Reference, Stored

KEY = "projects/1/files/points.gpkg"


def a_version(number: int, size: int, key: str = KEY) -> Located:
    return Located(Stored(f"{number:064x}", size, "", "", 0), Place("default", key, str(number)))


def named(*sizes: int | None, key: str = KEY) -> list[Reference]:
    return [Reference("", size, Place("default", key)) for size in sizes]


VERSIONS = [a_version(1, 10), a_version(2, 20), a_version(3, 10)]


def test_every_version_has_to_be_there_with_its_size() -> None:
    assert broken_names(VERSIONS, named(10, 20, 10)) == []
    assert broken_names(VERSIONS, named(10, None, 10)) == []
    for wrong in (named(10, 20), named(10, 20, 20), named(10, 20, 10, 10), []):
        assert broken_names(VERSIONS, wrong) == [KEY]
    assert broken_names([], named(1)) == [KEY]


def test_objects_that_are_named_by_content_need_no_place() -> None:
    one = Located(Stored("a" * 64, 5, "", "", 0), None)
    assert broken_names([one], [Reference("a" * 64, 5)]) == []
    assert broken_names([one], [Reference("a" * 64, 6)]) == ["a" * 64]


def test_of_a_key_the_newest_version_is_read() -> None:
    other = a_version(4, 1, "users/a/avatar.png")
    assert list(newest([*VERSIONS, other])) == [VERSIONS[-1], other]
