"""Passwords from the examples: replaced both where they are checked and where they are used, or in neither place."""

from __future__ import annotations

import json

import pytest

from checks_world import found, healthy, ids, the
from qfc.operations.guard import Options
from qfc.stack.findings import Result

SHIPPED_PASSWORDS = """POSTGRES_PASSWORD=postgres
MINIO_ROOT_PASSWORD=minioadmin
SALT_KEY=0123456789abcdef
STORAGES='{"default": {"OPTIONS": {"access_key": "minioadmin", "secret_key": "minioadmin"}}}'
"""


def test_known_passwords_are_replaced_in_database_and_store_at_once() -> None:
    ports, _ = healthy("compose")
    site = ports.deployment.site
    site.env += SHIPPED_PASSWORDS
    site.extra["minio"] = "minio:1"
    asked: list[str] = []
    running: list[int] = []
    change = ports.conditions.server.change_password

    def change_password(password: str) -> None:
        running.append(next(one.running for one in ports.runtime.services() if one.name == "worker_wrapper"))
        change(password)

    ports.conditions.server.change_password = change_password

    def ask(question: str) -> bool:
        asked.append(question)
        return True

    made = found(ports, fix=True, options=Options(ask=ask))
    values = ports.deployment.settings.values()
    new, store = values["POSTGRES_PASSWORD"], json.loads(values["STORAGES"])["default"]["OPTIONS"]
    assert the(made, "A10-passwords").result is Result.FIXED
    assert "POSTGRES_PASSWORD: [hidden] → a random value" in asked[0]
    assert ports.conditions.server.password == new
    assert running == [0]
    assert store == {"access_key": "minioadmin", "secret_key": values["MINIO_ROOT_PASSWORD"]}
    assert new not in str((made, asked))
    assert values["MINIO_ROOT_PASSWORD"] not in str((made, asked))
    assert values["SALT_KEY"] == "0123456789abcdef"
    assert [(one.id, one.evidence) for one in found(ports).findings] == [
        ("A10", "Everybody knows these values: SALT_KEY.")
    ]


def test_a_password_that_the_database_does_not_take_is_not_written_down() -> None:
    ports, _ = healthy("compose")
    ports.deployment.site.env += "POSTGRES_PASSWORD=postgres\n"
    ports.conditions.server.refuses_passwords = True
    assert the(found(ports, fix=True), "A10-passwords").result is Result.FAILED
    assert next(one.running for one in ports.runtime.services() if one.name == "worker_wrapper")
    assert ports.deployment.settings.values()["POSTGRES_PASSWORD"] == "postgres"


def test_the_password_of_a_store_elsewhere_is_left_alone() -> None:
    ports, _ = healthy("compose")
    ports.deployment.site.env += "STORAGE_SECRET_ACCESS_KEY=minioadmin\n"
    finding = the(found(ports, fix=True), "A10")
    assert finding.result is Result.FOUND
    assert ports.deployment.settings.values()["STORAGE_SECRET_ACCESS_KEY"] == "minioadmin"


def test_the_password_of_a_store_that_no_file_defines_is_left_alone() -> None:
    ports, _ = healthy("compose")
    ports.deployment.site.env += SHIPPED_PASSWORDS
    made = found(ports, fix=True)
    values = ports.deployment.settings.values()
    assert the(made, "A10-passwords").result is Result.FIXED
    assert values["MINIO_ROOT_PASSWORD"] == "minioadmin"
    assert json.loads(values["STORAGES"])["default"]["OPTIONS"]["secret_key"] == "minioadmin"
    assert "MINIO_ROOT_PASSWORD" in the(made, "A10").evidence


@pytest.mark.parametrize("value", ["change_me", "CHANGE_ME", "changeme", "<change-me>"])
def test_placeholders_of_templates_are_known_in_every_secret(value: str) -> None:
    ports, _ = healthy("compose")
    site = ports.deployment.site
    site.extra["rustfs"] = "rustfs:1"
    names = ("POSTGRES_PASSWORD", "OBJECT_STORAGE_ROOT_PASSWORD", "SECRET_KEY", "SALT_KEY")
    site.env += "".join(f"{name}={value}\n" for name in names)
    made = found(ports)
    assert "POSTGRES_PASSWORD, OBJECT_STORAGE_ROOT_PASSWORD" in the(made, "A10-passwords").evidence
    assert "SECRET_KEY, SALT_KEY" in the(made, "A10").evidence


@pytest.mark.parametrize(("has_webdav", "is_found"), [(True, True), (False, False)])
def test_the_password_of_webdav_matters_where_it_runs(has_webdav: bool, is_found: bool) -> None:
    ports, _ = healthy("compose")
    ports.deployment.site.env += "WEBDAV_PASSWORD=qfc_webdav_pwd\n"
    if has_webdav:
        ports.deployment.site.extra["webdav"] = "webdav:1"
    assert ("A10" in ids(found(ports))) is is_found
