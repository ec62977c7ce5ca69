"""Replacing files, by us and by every shell that a host may have: completely or not at all, with permissions."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
from collections.abc import Callable
from pathlib import Path, PurePosixPath

import pytest

from qfc.config.writing import write
from qfc.drivers.docker.images import SAVE
from qfc.drivers.objects.folder import FolderObjectStore
from qfc.drivers.replacing import AS_BEFORE, FOLDER, REPLACE, replaced_by
from qfc.drivers.runtimes.embedded import history
from qfc.files import HALF, half_of, replace_file, replacing

SHELLS = [
    shell for shell in ("dash", "bash", "busybox sh", "mksh", "zsh --emulate sh") if shutil.which(shell.split()[0])
]
NO_MEMBER = 0o077

#: Replaces a file by content with permissions; returns False on failure.
Replace = Callable[[Path, bytes, int], bool]


def by_us(path: Path, content: bytes, mode: int) -> bool:
    try:
        replace_file(path, content, mode=mode)
    except OSError:
        return False
    return True


def by_shell(shell: str) -> Replace:
    def replace(path: Path, content: bytes, mode: int) -> bool:
        argv = replaced_by(["cat"], path, mode=mode, size=len(content))
        done = subprocess.run([*shell.split(), *argv[1:]], input=content, capture_output=True, check=False)
        return done.returncode == 0

    return replace


@pytest.fixture(params=["python", *SHELLS])
def replace(request: pytest.FixtureRequest) -> Replace:
    return by_us if request.param == "python" else by_shell(request.param)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_the_new_file_is_there_and_nothing_else(replace: Replace, tmp_path: Path) -> None:
    for content in (b"old", bytes(range(256)) * 999, b""):
        assert replace(tmp_path / "file", content, 0o640)
        assert (tmp_path / "file").read_bytes() == content
    assert names(tmp_path) == ["file"]


@pytest.mark.parametrize("mode", [0o600, 0o644, 0o400, 0o755])
def test_its_rights_are_those_that_were_asked_for(replace: Replace, tmp_path: Path, mode: int) -> None:
    (tmp_path / "file").write_text("old")
    (tmp_path / "file").chmod(0o666)
    before = os.umask(0o077)
    try:
        assert replace(tmp_path / "file", b"new", mode)
    finally:
        os.umask(before)
    assert mode_of(tmp_path / "file") == mode


@pytest.mark.parametrize("name", ["-odd 'name' $x\n€", "x" * 255, ".hidden"])
def test_any_name_will_do(replace: Replace, tmp_path: Path, name: str) -> None:
    assert replace(tmp_path / name, b"new", 0o600)
    assert (tmp_path / name).read_bytes() == b"new"


def test_a_folder_in_its_place_stays(replace: Replace, tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    assert not replace(tmp_path / "folder", b"new", 0o600)
    assert names(tmp_path) == ["folder"]
    assert names(tmp_path / "folder") == []


def test_a_folder_that_is_not_there_is_not_made(replace: Replace, tmp_path: Path) -> None:
    assert not replace(tmp_path / "no" / "file", b"new", 0o600)
    assert names(tmp_path) == []


def test_a_link_becomes_a_file_and_what_it_meant_stays(replace: Replace, tmp_path: Path) -> None:
    (tmp_path / "meant").write_text("old")
    (tmp_path / "link").symlink_to(tmp_path / "meant")
    assert replace(tmp_path / "link", b"new", 0o600)
    assert not (tmp_path / "link").is_symlink()
    assert (tmp_path / "meant").read_text() == "old"


def test_what_fails_in_the_middle_leaves_the_old_file_and_no_half(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("old")
    with pytest.raises(ZeroDivisionError), replacing(tmp_path / "file", mode=0o600) as file:
        file.write(b"half")
        assert [mode_of(path) & NO_MEMBER for path in tmp_path.iterdir() if path.name.startswith(HALF)] == [0]
        raise ZeroDivisionError
    assert (names(tmp_path), (tmp_path / "file").read_text()) == (["file"], "old")


def shell(shell: str, script: str, *arguments: str, path: str | None = None) -> subprocess.CompletedProcess[bytes]:
    environment = {"PATH": f"{path}:{os.environ['PATH']}"} if path else None
    argv = [*shell.split(), "-c", script, "sh", *arguments]
    return subprocess.run(argv, input=b"half", capture_output=True, check=False, env=environment)


@pytest.mark.parametrize("with_shell", SHELLS)
@pytest.mark.parametrize(
    ("size", "command"),
    [("5", "cat"), ("3", "cat"), ("", "cat; false"), ("", "kill -TERM $$"), ("", "no-such-program"), ("4", "exit 7")],
)
def test_a_script_that_fails_in_the_middle_leaves_the_old_file_and_no_half(
    with_shell: str, size: str, command: str, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("old")
    argv = [str(tmp_path / "file"), str(half_of(tmp_path / "file")), "600", size, "sh", "-c", command]
    assert shell(with_shell, f'{REPLACE}replace "$@"', *argv).returncode != 0
    assert (names(tmp_path), (tmp_path / "file").read_text()) == (["file"], "old")


@pytest.mark.parametrize("with_shell", SHELLS)
@pytest.mark.parametrize(
    ("mode", "begins"), [(0o600, "-rw-------"), (0o644, "-rw-------"), (0o755, "-rw-------"), (0o400, "-r--------")]
)
def test_a_file_begins_with_no_more_than_the_owners_rights(
    with_shell: str, mode: int, begins: str, tmp_path: Path
) -> None:
    path, half = tmp_path / "file", tmp_path / "half"
    done = shell(with_shell, f'{REPLACE}replace "$@"', str(path), str(half), f"{mode:03o}", "", "ls", "-l", str(half))
    assert (done.returncode, path.read_text()[:10], mode_of(path)) == (0, begins, mode)


@pytest.mark.parametrize("with_shell", SHELLS)
def test_a_script_goes_on_after_it_with_its_own_rights_and_folders_are_told(with_shell: str, tmp_path: Path) -> None:
    script = (
        f'{REPLACE}umask 022; replace "$1" "$2" 600 "" cat; replace "$3" "$2" 600 "" cat; code=$?; : >"$4"; exit $code'
    )
    arguments = [str(tmp_path / "file"), str(tmp_path / "half"), str(tmp_path), str(tmp_path / "after")]
    assert shell(with_shell, script, *arguments).returncode == FOLDER
    assert (mode_of(tmp_path / "file"), mode_of(tmp_path / "after")) == (0o600, 0o644)


@pytest.mark.parametrize("with_shell", SHELLS)
@pytest.mark.parametrize("mode", [None, 0o640, 0o600])
def test_rights_may_stay(with_shell: str, mode: int | None, tmp_path: Path) -> None:
    if mode is not None:
        (tmp_path / "file").write_text("old and longer than the new one")
        (tmp_path / "file").chmod(mode)
    argv = [str(tmp_path / "file"), str(tmp_path / "half"), AS_BEFORE, "4", "cat"]
    assert shell(with_shell, f'{REPLACE}replace "$@"', *argv).returncode == 0
    assert ((tmp_path / "file").read_text(), mode_of(tmp_path / "file")) == ("half", mode or 0o600)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may give files away")
@pytest.mark.parametrize("with_shell", SHELLS)
def test_the_owner_may_stay(with_shell: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("old")
    os.chown(tmp_path / "file", 1234, 5678)
    argv = [str(tmp_path / "file"), str(tmp_path / "half"), AS_BEFORE, "4", "cat"]
    assert shell(with_shell, f'{REPLACE}replace "$@"', *argv).returncode == 0
    found = (tmp_path / "file").stat()
    assert (found.st_uid, found.st_gid) == (1234, 5678)


@pytest.fixture
def docker(tmp_path: Path) -> Path:
    """A folder with a `docker` that only saves names, and fails for one of them."""
    program = tmp_path / "bin" / "docker"
    program.parent.mkdir()
    program.write_text('#!/bin/sh\nshift\necho "$@"\n[ "$1" != gone ]\n')
    program.chmod(0o755)
    return program.parent


@pytest.mark.parametrize("with_shell", SHELLS)
def test_saved_images_have_their_checksum_and_failed_ones_leave_nothing(
    with_shell: str, docker: Path, tmp_path: Path
) -> None:
    place = tmp_path / "saved"
    place.mkdir()
    path = place / "images.tar.gz"
    done = shell(with_shell, SAVE, str(path), str(half_of(path)), "one", "two", path=str(docker))
    assert (done.returncode, int(done.stdout)) == (0, path.stat().st_size)
    assert names(place) == ["images.tar.gz", "images.tar.gz.sha256"]
    subprocess.run(["sha256sum", "--check", "--quiet", "images.tar.gz.sha256"], cwd=place, check=True)
    failed = place / "failed.tar.gz"
    assert shell(with_shell, SAVE, str(failed), str(half_of(failed)), "gone", path=str(docker)).returncode != 0
    assert names(place) == ["images.tar.gz", "images.tar.gz.sha256"]


def test_the_configuration_keeps_its_rights_and_its_copy_has_no_wider_ones(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    write(path, "a = 1\n")
    path.chmod(0o600)
    write(path, "a = 2\n")
    assert (mode_of(path), mode_of(path.with_name("config.toml.bak"))) == (0o600, 0o600)


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077])
def test_a_new_configuration_is_its_owners(tmp_path: Path, umask: int) -> None:
    before = os.umask(umask)
    try:
        write(tmp_path / "config.toml", "a = 1\n")
    finally:
        os.umask(before)
    assert mode_of(tmp_path / "config.toml") == 0o600


def test_the_history_of_processes_is_cut_in_half_and_stays_its_owners(tmp_path: Path) -> None:
    path = tmp_path / "history.jsonl"
    path.write_text("x" * 99 + "\n")
    path.write_text(path.read_text() * (history.MAXIMUM_BYTES // 100 + 1))
    history.append(path, "last")
    assert (mode_of(path), path.stat().st_size < history.MAXIMUM_BYTES) == (0o600, True)
    assert path.read_text().splitlines()[-1] == "last"


def test_an_object_whose_name_is_as_long_as_names_may_be(tmp_path: Path) -> None:
    store = FolderObjectStore(tmp_path)
    with (tmp_path / "content").open("wb+") as content:
        store.put("a/" + "x" * 255, content)
    assert dict(store.keys("a/")) == {"a/" + "x" * 255: 0}


def test_half_files_lie_beside_what_they_become() -> None:
    half = half_of(PurePosixPath("/a/b"))
    assert half.parent == PurePosixPath("/a")
    assert half != half_of(PurePosixPath("/a/b"))
