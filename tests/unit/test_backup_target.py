"""What a restore writes of an embedded stack's settings and secrets, and puts back."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest
from psycopg import errors

from qfc.drivers.backups.restore import EmbeddedRestoreTarget
from qfc.drivers.clock import SystemClock
from qfc.drivers.postgres.connection import translate
from qfc.drivers.runtimes.embedded import EmbeddedConfig, EmbeddedRuntime
from qfc.errors import DamagedError, UnreachableError

OURS = {"node.env": b"STORAGE_BUCKET_NAME=ours\n", "secrets/SECRET_KEY": b"ours"}
THEIRS = {"node.env": b"STORAGE_BUCKET_NAME=theirs\n", "secrets/SECRET_KEY": b"theirs"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "secrets").mkdir()
    return tmp_path


@pytest.fixture
def target(folder: Path) -> EmbeddedRestoreTarget:
    runtime = EmbeddedRuntime(EmbeddedConfig("s", folder, folder), clock=SystemClock(), idle_workers=frozenset)
    made = EmbeddedRestoreTarget(runtime)
    for name, content in OURS.items():
        (folder / name).write_bytes(content)
    return made


def files(folder: Path) -> dict[str, bytes]:
    return {str(one.relative_to(folder)): one.read_bytes() for one in folder.rglob("*") if one.is_file()}


def test_another_stack_keeps_its_settings(folder: Path, target: EmbeddedRestoreTarget) -> None:
    target.configure(THEIRS, settings=False)
    target.settle_configuration()
    assert files(folder) == {**OURS, "secrets/SECRET_KEY": b"theirs"}


def test_settings_that_the_set_has_not_are_gone_until_they_are_put_back(
    folder: Path, target: EmbeddedRestoreTarget
) -> None:
    target.configure({"secrets/SECRET_KEY": b"theirs"}, settings=True)
    assert not (folder / "node.env").exists()
    target.configure_back()
    assert files(folder) == OURS


@pytest.mark.parametrize("settings", [True, False])
def test_a_set_without_the_secret_key_changes_nothing(
    folder: Path, target: EmbeddedRestoreTarget, settings: bool
) -> None:
    with pytest.raises(DamagedError, match="The set has no secrets/SECRET_KEY"):
        target.configure({"node.env": b"theirs"}, settings=settings)
    assert files(folder) == OURS


@pytest.mark.parametrize("kind", [errors.DataCorrupted, errors.IndexCorrupted, errors.IoError, errors.UndefinedFile])
def test_a_damaged_database_is_not_taken_for_one_that_is_away(kind: type[psycopg.Error]) -> None:
    found = translate(kind("invalid page in block 3"))
    assert not isinstance(found, UnreachableError)
    assert found.message == "The database is damaged: invalid page in block 3"
