"""Bytes against the listing of a server, whichever form of `md5sum` it has."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest
from qfieldcloud_sdk.utils import calc_etag

from qfc.stack.checksums import PART_BYTES, Checksums, name_same_bytes

CONTENT = bytes(range(251)) * (2 * PART_BYTES // 251 + 1)


@pytest.mark.parametrize("size", [0, 1, PART_BYTES, PART_BYTES + 1, 2 * PART_BYTES, 2 * PART_BYTES + 1])
@pytest.mark.parametrize("step", [PART_BYTES // 3, 3 * PART_BYTES])
def test_the_tag_does_not_depend_on_the_chunks(tmp_path: Any, size: int, step: int) -> None:
    content = CONTENT[:size]
    (tmp_path / "file").write_bytes(content)
    made = Checksums()
    for start in range(0, size, step):
        made.update(content[start : start + step])

    assert (made.size, made.md5, made.tag) == (
        size,
        hashlib.md5(content).hexdigest(),
        calc_etag(str(tmp_path / "file")),
    )


def test_a_listing_is_compared_in_the_form_it_has() -> None:
    made = Checksums(CONTENT)
    sha256 = hashlib.sha256(CONTENT).hexdigest()
    assert made.match({})
    assert made.match({"md5sum": made.md5})
    assert made.match({"md5sum": made.tag})
    assert made.match({"md5sum": "another form", "sha256": sha256})
    assert not made.match({"md5sum": made.md5, "sha256": "0" * 64})
    assert not made.match({"md5sum": "0" * 32})


def test_two_servers_may_have_different_forms() -> None:
    old, new = {"md5sum": "a" * 32, "size": 9}, {"md5sum": "b" * 32 + "-2", "size": 9}
    assert name_same_bytes(old, new)
    assert not name_same_bytes(old, {**new, "size": 8})
    assert not name_same_bytes(old, {})
    assert not name_same_bytes(old, {**old, "md5sum": "c" * 32})
    assert name_same_bytes({**old, "sha256": "1"}, {**new, "sha256": "1"})
    assert not name_same_bytes({**old, "sha256": "1"}, {**old, "sha256": "2"})
