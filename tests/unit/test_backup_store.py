"""The plain store: nothing gets in or out unnoticed, and no qfc is needed to read it."""

from __future__ import annotations

import io
import json
import shutil
import subprocess
from datetime import timedelta
from pathlib import Path

import pytest

from backup_world import a_set, digest, keep_set, store_in
from qfc.drivers.backups import age
from qfc.drivers.backups.plain import PlainBackupStore
from qfc.errors import DamagedError, RefusedError, UsageError
from qfc.stack.backup_set import DATABASE, SECRETS, Stored, Verdict

OBJECTS = {"a": b"a" * 5000, "b": b"b", "empty": b""}


def test_a_set_comes_back_as_it_was(tmp_path: Path) -> None:
    store = store_in(tmp_path / "place")
    manifest = keep_set(store, OBJECTS)
    assert store_in(tmp_path / "place").manifests() == (manifest,)
    found = {one.sha256: read(store, one) for one in store.references(manifest)}
    assert found == {digest(content): content for content in OBJECTS.values()}
    assert not list(store.look(store.references(manifest)))


def test_an_object_is_stored_once_for_all_sets(tmp_path: Path) -> None:
    store = store_in(tmp_path / "place")
    keep_set(store, OBJECTS, age=timedelta(days=1))
    before = files_below(tmp_path / "place/objects")
    keep_set(store, {**OBJECTS, "new": b"new"})
    assert len(files_below(tmp_path / "place/objects")) == len(before) + 1


def test_nothing_that_is_stored_is_ever_written_again(tmp_path: Path) -> None:
    """So the place may be one where we may write, and neither change nor delete."""
    keep_set(store_in(tmp_path / "place"), OBJECTS, age=timedelta(days=1))
    before = {path: path.stat().st_ino for path in files_below(tmp_path / "place")}
    keep_set(store_in(tmp_path / "place"), {**OBJECTS, "new": b"new"})
    assert before.items() <= {path: path.stat().st_ino for path in files_below(tmp_path / "place")}.items()


def test_an_interrupted_backup_does_not_store_its_objects_again(tmp_path: Path) -> None:
    store = store_in(tmp_path / "place")
    stored = store.put_object(digest(b"x"), io.BytesIO(b"x"))
    store.put_part("20261130-120000-0000", DATABASE, io.BytesIO(b"half"))
    again = store_in(tmp_path / "place")
    assert again.known([digest(b"x"), digest(b"y")]) == {digest(b"x"): stored}
    again.discard_unfinished()
    assert not again.manifests()
    assert not files_below(tmp_path / "place/sets")


def test_remains_that_nobody_vouches_for_are_stored_again(tmp_path: Path) -> None:
    store = store_in(tmp_path / "place")
    stored = store.put_object(digest(b"x"), io.BytesIO(b"x"))
    (tmp_path / "place" / stored.file).write_bytes(b"")
    assert store.known([digest(b"x")]) == {}


def test_an_object_with_other_bytes_than_its_name_is_not_stored(tmp_path: Path) -> None:
    store = store_in(tmp_path / "place")
    with pytest.raises(DamagedError):
        store.put_object(digest(b"x"), io.BytesIO(b"y"))
    assert not files_below(tmp_path / "place")


@pytest.mark.parametrize("encryption", ["all", "secrets"])
def test_a_flipped_bit_in_any_file_is_found(tmp_path: Path, encryption: str) -> None:
    store = store_in(tmp_path / "place", encryption=encryption)
    manifest = keep_set(store, OBJECTS)
    for path in files_below(tmp_path / "place"):
        if path.name == "README.md":
            continue
        whole = path.read_bytes()
        for place in {0, len(whole) // 2, len(whole) - 1}:
            path.write_bytes(flipped(whole, place))
            assert problems(tmp_path / "place", manifest.id, encryption), f"{path} at {place}"
        path.write_bytes(whole[:-1])
        assert problems(tmp_path / "place", manifest.id, encryption), f"{path} cut off"
        path.unlink()
        assert problems(tmp_path / "place", manifest.id, encryption), f"{path} removed"
        path.write_bytes(whole)
    assert not problems(tmp_path / "place", manifest.id, encryption)


def problems(folder: Path, id: str, encryption: str) -> list[str]:
    """Return what a verification without pg_restore finds."""
    store = store_in(folder, encryption=encryption)
    manifest = next((one for one in store.manifests() if one.id == id), None)
    if manifest is None:
        return ["no manifest"]
    try:
        objects = list(store.references(manifest))
    except DamagedError as error:
        return [error.message]
    files = [*manifest.parts.values(), *objects]
    return [*store.look(objects), *(found for one in files if (found := store.check_bytes(one)))]


def test_without_the_secret_part_bytes_are_checked_and_nothing_is_read(tmp_path: Path) -> None:
    store = store_in(tmp_path / "place")
    manifest = keep_set(store, OBJECTS)
    (tmp_path / "place-own/identity.txt").unlink()
    blind = store_in(tmp_path / "place")
    assert blind.manifests() == (manifest,)
    assert not problems(tmp_path / "place", manifest.id, "all")
    with pytest.raises(RefusedError, match="not on this machine"):
        read(blind, manifest.parts[SECRETS])
    with pytest.raises(RefusedError, match="not on this machine"):
        blind.seal(a_set(1))


def test_another_key_neither_opens_nor_believes_anything(tmp_path: Path) -> None:
    manifest = keep_set(store_in(tmp_path / "place"), OBJECTS)
    other = store_in(tmp_path / "place", own=tmp_path / "other")
    assert other.unreadable() == (manifest.id,)
    with pytest.raises(DamagedError, match="cannot be opened"):
        read(other, manifest.parts[DATABASE])
    assert not other.known([digest(b"b")])


def test_secrets_are_encrypted_even_if_the_rest_is_not(tmp_path: Path) -> None:
    store = store_in(tmp_path / "place", encryption="secrets")
    keep_set(store, OBJECTS)
    assert [path.name for path in files_below(tmp_path / "place") if path.suffix == ".age"] == ["secrets.tar.zst.age"]
    text = b"".join(path.read_bytes() for path in files_below(tmp_path / "place"))
    assert b"SECRET_KEY" not in text.replace(b"SECRET_KEY and other", b"")


def test_the_key_is_readable_by_its_owner_alone_and_never_replaced(tmp_path: Path) -> None:
    store_in(tmp_path / "place")
    own = tmp_path / "place-own"
    assert {path.name: oct(path.stat().st_mode & 0o777) for path in own.iterdir()} == dict.fromkeys(
        ("identity.txt", "recipient.txt"), "0o600"
    )
    keys = store_in(tmp_path / "place")._keys
    with pytest.raises(RefusedError):
        keys.create()
    with pytest.raises(RefusedError, match="Another key"):
        keys.adopt(age.new_identity())
    with pytest.raises(UsageError, match="not a key"):
        keys.adopt("nonsense")
    identity = keys.identity()
    assert identity is not None
    assert keys.adopt(identity) == keys.recipient()


def test_removing_a_set_keeps_what_others_need(tmp_path: Path) -> None:
    store = store_in(tmp_path / "place")
    old = keep_set(store, {**OBJECTS, "old": b"old"}, age=timedelta(days=1))
    new = keep_set(store, {**OBJECTS, "new": b"new"})
    assert store.remove([old.id]) > 0
    assert store.manifests() == (new,)
    assert not problems(tmp_path / "place", new.id, "all")
    assert len(files_below(tmp_path / "place/objects")) == len(OBJECTS) + 1
    assert not list((tmp_path / "place/sets").glob(f"{old.id}/*"))


def test_nothing_is_removed_while_a_manifest_cannot_be_read(tmp_path: Path) -> None:
    store = store_in(tmp_path / "place")
    old, new = keep_set(store, OBJECTS, age=timedelta(days=1)), keep_set(store, {"new": b"new"})
    (tmp_path / "place/sets" / new.id / "manifest.json").write_bytes(b"{}")
    with pytest.raises(RefusedError, match="cannot be read"):
        store_in(tmp_path / "place").remove([old.id])


def test_the_newest_verdict_counts(tmp_path: Path) -> None:
    store = store_in(tmp_path / "place")
    manifest = keep_set(store, OBJECTS)
    for day, found in ((1, ("broken",)), (2, ())):
        store.judge(Verdict(manifest.id, manifest.taken_at + timedelta(days=day), found, False))
    assert store.verdicts()[manifest.id].ok


@pytest.mark.skipif(not shutil.which("zstd"), reason="zstd is not installed")
def test_a_set_is_restored_without_us(tmp_path: Path) -> None:
    """As README.md in the store says; where age is not installed, its library decrypts."""
    manifest = keep_set(store_in(tmp_path / "place"), OBJECTS)
    key = tmp_path / "place-own/identity.txt"
    place = tmp_path / "place"
    listed = unpacked((place / f"sets/{manifest.id}/references.jsonl.zst").read_bytes())
    found = {
        line["sha256"]: unpacked(decrypted(place / line["file"], key))
        for line in map(json.loads, listed.decode().splitlines())
    }
    assert found == {digest(content): content for content in OBJECTS.values()}
    assert unpacked(decrypted(place / manifest.parts[DATABASE].file, key)) == b"dump" * 1000
    assert "pg_restore" in (place / "README.md").read_text()


def decrypted(path: Path, key: Path) -> bytes:
    if shutil.which("age"):
        argv = ["age", "--decrypt", "--identity", str(key), str(path)]
        return subprocess.run(argv, capture_output=True, check=True).stdout
    out = io.BytesIO()
    with path.open("rb") as file:
        age.decrypt(file, out, key.read_text().splitlines()[1])
    return out.getvalue()


def unpacked(content: bytes) -> bytes:
    return subprocess.run(["zstd", "--decompress"], input=content, capture_output=True, check=True).stdout


def read(store: PlainBackupStore, stored: Stored) -> bytes:
    out = io.BytesIO()
    store.read(stored, out)
    return out.getvalue()


def files_below(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def flipped(content: bytes, place: int) -> bytes:
    return content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :]
