"""A setting is defined once: its field alone makes it readable, overridable, checked and documented."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from qfc.config import Config, StackConfig, load
from qfc.config.schema import setting, settings_of, variable_of
from qfc.config.tables import TABLES, Top
from qfc.config.values import LocalPath, WholeNumber, Word
from qfc.errors import ConfigError


@dataclass(frozen=True, kw_only=True)
class Backup:
    """A table that a later command may need."""

    keep: int = setting(WholeNumber(1, 99), 14, "backups that are kept", example=14)
    folder: Path | None = setting(LocalPath(), None, "where they are kept", example="/srv/backup")
    owner: str = setting(Word(), "root", "account that they belong to", variable="BACKUP_OWNER", example="root")


WITH_BACKUP: Mapping[str, type[Any]] = {**TABLES, "backup": Backup}


def loaded(text: str, **environment: str) -> Config:
    return load({"QFC_HOME": "/data", "QFC_CONFIG": "/c", **environment}, text=text, tables=WITH_BACKUP)


def test_a_new_table_needs_its_class_and_nothing_else() -> None:
    assert loaded("[backup]\nkeep = 3\n").table(Backup) == Backup(keep=3)
    assert loaded("[stacks.one]\n").table(Backup) == Backup(keep=14, folder=None, owner="root")


def test_the_environment_overrules_a_new_table_by_its_name() -> None:
    found = loaded("[backup]\nkeep = 3\n", QFC_BACKUP_KEEP="5", QFC_BACKUP_FOLDER="/b", BACKUP_OWNER="anna")
    assert found.table(Backup) == Backup(keep=5, folder=Path("/b"), owner="anna")
    assert loaded("", QFC_BACKUP_KEEP="").table(Backup).keep == 14


def test_mistakes_of_every_table_are_reported_together() -> None:
    text = '[backup]\nkeep = 0\nkeeep = 1\n[stacks.one]\nport = "x"\n'
    with pytest.raises(ConfigError) as caught:
        loaded(text)
    assert caught.value.problems == (
        "stacks.one.port must be a whole number from 0 to 65535, not 'x'",
        "backup.keep must be a whole number from 1 to 99, not 0",
        "backup.keeep is not a setting; known: keep, folder, owner",
    )


def test_a_table_that_is_none_is_a_mistake() -> None:
    with pytest.raises(ConfigError, match=r"backup must be a table: \[backup\]"):
        loaded("backup = 3\n")


def test_a_table_that_is_not_registered_is_unknown() -> None:
    with pytest.raises(ConfigError, match="unknown key 'backups'"):
        load({"QFC_CONFIG": "/c"}, text="[backups]\n")


@pytest.mark.parametrize("table", [Top, StackConfig, *TABLES.values()])
def test_examples_are_valid_and_phrases_fit_into_sentences(table: type[Any]) -> None:
    for about in settings_of(table).values():
        about.value.parse(about.example)
        for phrase in (about.meaning, about.otherwise):
            assert re.fullmatch(r"(.*[^.])?", phrase), phrase


def test_no_two_settings_have_one_variable() -> None:
    tables = [(Top, ""), (StackConfig, ""), *((of, name) for name, of in WITH_BACKUP.items())]
    variables = [variable_of(of, name, prefix=prefix) for of, prefix in tables for name in settings_of(of)]
    assert len(variables) == len({*variables, "QFC_HOME", "QFC_CONFIG"}) - 2


@pytest.mark.parametrize(
    ("url", "shown"),
    [("sftp://anna:hidden@box.lan/sets", "sftp://anna:…@box.lan/sets"), ("sftp://box.lan:99999/sets",) * 2],
)
def test_a_wrong_place_of_backups_is_told_without_its_password(url: str, shown: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load({"QFC_HOME": "/data"}, text=f'[backup]\nsftp = "{url}"\n')
    said = str(caught.value)
    assert f"without a password, not '{shown}'" in said
    assert "hidden" not in said
