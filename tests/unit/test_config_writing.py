"""Writing the configuration keeps the operators' own changes."""

from __future__ import annotations

import os
import tomllib
from pathlib import Path

import pytest

from qfc.config.writing import with_stack, write
from qfc.errors import ConfigError, QfcError

WRITTEN = """# our servers
default = "office" # the big one

[stacks.office]
workers = 4  # more is not faster
kind = "embedded"
"""


def test_the_first_stack_becomes_the_default_but_never_the_demo() -> None:
    demo = with_stack("", "demo", {"kind": "embedded"}, default=False)
    assert "default" not in tomllib.loads(demo)
    own = with_stack(demo, "local", {"kind": "embedded"}, default=False)
    assert tomllib.loads(own)["default"] == "local"
    assert tomllib.loads(with_stack(own, "second", {}, default=False))["default"] == "local"


def test_a_first_stack_becomes_the_default() -> None:
    document = tomllib.loads(with_stack("", "local", {"kind": "embedded"}, default=False))
    assert document == {"default": "local", "stacks": {"local": {"kind": "embedded"}}}


def test_comments_and_order_stay() -> None:
    after = with_stack(WRITTEN, "field", {"kind": "embedded", "port": 9000}, default=False)
    for part in ("# our servers", "# the big one", "workers = 4  # more is not faster"):
        assert part in after
    assert after.index("stacks.office") < after.index("stacks.field")
    assert tomllib.loads(after)["default"] == "office"


def test_only_the_named_values_change() -> None:
    after = with_stack(WRITTEN, "office", {"workers": 6}, default=False)
    assert tomllib.loads(after)["stacks"] == {"office": {"workers": 6, "kind": "embedded"}}
    assert "# more is not faster" in after


def test_the_same_again_changes_nothing() -> None:
    assert with_stack(WRITTEN, "office", {"workers": 4}, default=False) == WRITTEN


def test_a_stack_can_be_made_the_default() -> None:
    assert tomllib.loads(with_stack(WRITTEN, "field", {}, default=True))["default"] == "field"


def test_what_is_not_toml_is_left_alone() -> None:
    with pytest.raises(ConfigError):
        with_stack("a = = 1", "local", {}, default=False)


def test_the_old_file_stays_beside_the_new_one(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "config.toml"
    write(path, "a = 1\n")
    write(path, "a = 2\n")
    assert path.read_text() == "a = 2\n"
    assert path.with_name("config.toml.bak").read_text() == "a = 1\n"
    assert sorted(one.name for one in path.parent.iterdir()) == ["config.toml", "config.toml.bak"]


def test_a_place_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(QfcError, match="cannot be written"):
        write(tmp_path / "file" / "config.toml", "")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file to somebody")
def test_root_leaves_the_file_to_its_owner(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text("a = 1\n")
    os.chown(path, 12345, 54321)
    write(path, "a = 2\n")
    for file in (path, tmp_path / "config.toml.bak"):
        assert (file.stat().st_uid, file.stat().st_gid) == (12345, 54321)
