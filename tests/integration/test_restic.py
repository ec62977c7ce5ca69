"""The engine restic: sets come back, share what they can, and need no qfc to be restored."""

from __future__ import annotations

import io
import os
import random
import shutil
import subprocess
from datetime import timedelta
from pathlib import Path

import pytest

from backup_world import digest, keep_set
from qfc.drivers.backups.keys import FileBackupKeys
from qfc.drivers.backups.restic import ResticBackupStore
from qfc.drivers.backups.restic_program import Restic
from qfc.errors import DamagedError
from qfc.stack.backup_set import DATABASE, SECRETS, Stored, Verdict
from requirements import require

OBJECTS = {"a": b"a" * 5000, "b": b"b", "empty": b""}


@pytest.fixture(autouse=True)
def _program() -> None:
    require("restic", shutil.which("restic") is not None, "apt-get install restic")


def store_in(folder: Path, stack: str = "local", program: str = "restic", *, create: bool = True) -> ResticBackupStore:
    own = folder / f"own-{stack}"
    keys = FileBackupKeys(folder / "key")
    if create and keys.recipient() is None:
        keys.create()
    return ResticBackupStore(Restic(str(folder / "repository"), stack, own, keys.identity, {}, program), keys, own)


def test_sets_are_stored_shared_read_and_removed(tmp_path: Path) -> None:
    store = store_in(tmp_path)
    assert store.manifests() == ()
    old = keep_set(store, {**OBJECTS, "old": b"old"}, age=timedelta(days=1))
    new = keep_set(store, {**OBJECTS, "new": b"new"})
    again = store_in(tmp_path)
    assert again.manifests() == (old, new)
    assert store_in(tmp_path, stack="other").manifests() == ()
    for manifest in (old, new):
        listed = list(again.references(manifest))
        assert not list(again.look(listed))
        with again.prepared(listed):
            assert [content_of(again, one) for one in listed] == [one.sha256 for one in listed]
    assert len(set(again.known([digest(b"old"), digest(b"none")]))) == 1

    again.judge(Verdict(new.id, new.taken_at, (), True))
    assert again.verdicts()[new.id].ok
    again.remove([old.id])
    assert again.manifests() == (new,)
    assert not list(again.look(again.references(new))), "the snapshot of the old set has objects of the new one"
    again.remove([new.id])
    assert (again.manifests(), again.verdicts()) == ((), {})
    assert again.known([digest(b"b")]) == {}


def content_of(store: ResticBackupStore, stored: Stored) -> str:
    content = io.BytesIO()
    store.read(stored, content)
    return digest(content.getvalue())


def test_a_set_is_restored_without_us(tmp_path: Path) -> None:
    """As README.md in the repository says; the password is on the recovery sheet."""
    store = store_in(tmp_path)
    keep_set(store, {"a": b"first"}, age=timedelta(days=1))
    manifest = keep_set(store, {"a": b"first", "b": b"second"})
    password = tmp_path / "password.txt"
    password.write_text(store.by_hand[0].rpartition(" ")[2])
    place = {"RESTIC_REPOSITORY": str(tmp_path / "repository"), "RESTIC_PASSWORD_FILE": str(password)}

    def by_hand(*argv: str) -> str:
        environment = {**os.environ, **place}
        return subprocess.run(argv, env=environment, check=True, capture_output=True, cwd=tmp_path, text=True).stdout

    by_hand("restic", "check", "--read-data")
    lines = by_hand("restic", "dump", "latest", "/README.md").splitlines()
    begin = next(number for number, line in enumerate(lines) if line.startswith("    for snapshot in"))
    loop = "\n".join(line.strip() for line in lines[begin : begin + 3])
    by_hand("sh", "-ec", loop)
    there = tmp_path / "everything"
    assert {path.read_bytes() for path in (there / "objects").glob("*/*")} == {b"first", b"second"}
    assert (there / "sets" / manifest.id / DATABASE).read_bytes() == b"dump" * 1000
    assert (there / "sets" / manifest.id / "manifest.json.sig").exists()


def test_the_password_is_in_a_file_of_its_owner_alone(tmp_path: Path) -> None:
    """No list of processes shows it, nor the environment of one."""
    spy = tmp_path / "spy"
    spy.write_text(f'#!/bin/sh\necho "$@" >>{tmp_path}/seen; env >>{tmp_path}/seen; exec restic "$@"\n')
    spy.chmod(0o755)
    store = store_in(tmp_path, program=str(spy))
    keep_set(store, {"a": b"a"})
    password, seen = tmp_path / "own-local/password", (tmp_path / "seen").read_text()
    assert oct(password.stat().st_mode & 0o777) == "0o600"
    assert password.read_text() == store.by_hand[0].rpartition(" ")[2]
    assert f"RESTIC_PASSWORD_FILE={password}" in seen
    assert password.read_text() not in seen


def test_another_key_opens_nothing(tmp_path: Path) -> None:
    keep_set(store_in(tmp_path), OBJECTS)
    shutil.rmtree(tmp_path / "key")
    with pytest.raises(DamagedError, match="does not open"):
        store_in(tmp_path).manifests()
    shutil.rmtree(tmp_path / "key")
    (tmp_path / "own-local/password").unlink()
    keyless = store_in(tmp_path, create=False)
    with pytest.raises(DamagedError, match="does not open"):
        keyless.manifests()
    shutil.rmtree(tmp_path / "repository")
    assert store_in(tmp_path, create=False).manifests() == ()


def test_damaged_bytes_are_found(tmp_path: Path) -> None:
    store = store_in(tmp_path)
    manifest = keep_set(store, {"a": random.randbytes(200_000)})
    for path in sorted((tmp_path / "repository/data").glob("*/*"), key=lambda path: path.stat().st_size)[-1:]:
        whole, middle = path.read_bytes(), path.stat().st_size // 2
        path.chmod(0o600)
        path.write_bytes(whole[:middle] + bytes([whole[middle] ^ 1]) + whole[middle + 1 :])
    shutil.rmtree(tmp_path / "own-local/cache")
    again = store_in(tmp_path)
    files = [*again.references(manifest), *manifest.parts.values()]
    assert [found for one in files if (found := again.check_bytes(one)) is not None]


def test_what_an_interrupted_backup_gathered_is_used_again(tmp_path: Path) -> None:
    store = store_in(tmp_path)
    stored = store.put_object(digest(b"x"), io.BytesIO(b"x"))
    store.put_part("20261130-120000-0000", SECRETS, io.BytesIO(b"half"))
    again = store_in(tmp_path)
    again.discard_unfinished()
    assert again.known([digest(b"x"), digest(b"y")]) == {digest(b"x"): stored}
    (tmp_path / "own-local/gathered" / stored.file).write_bytes(b"")
    assert store_in(tmp_path).known([digest(b"x")]) == {}
    with pytest.raises(DamagedError):
        again.put_object(digest(b"x"), io.BytesIO(b"other"))


def test_versions_of_a_file_share_what_has_not_changed(tmp_path: Path) -> None:
    """The reason for this engine: versions of a GeoPackage differ in few places. A shared piece has up to 8 MB."""
    store, content = store_in(tmp_path), bytearray(random.Random(1).randbytes(24_000_000))
    for day in range(3):
        content[1000 * day] ^= 1
        keep_set(store, {"data.gpkg": bytes(content)}, age=timedelta(days=9 - day))
    stored = sum(len(one) for one in files_below(tmp_path / "repository"))
    assert stored < 2 * len(content), f"{stored / len(content):.1f} times one version"


def files_below(folder: Path) -> list[bytes]:
    return [path.read_bytes() for path in folder.rglob("*") if path.is_file()]
