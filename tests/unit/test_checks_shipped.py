"""Passwords from the examples: replaced both where they are checked and where they are used, or in neither place."""

from __future__ import annotations

import json

from checks_world import found, healthy, the
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

    def ask(question: str) -> bool:
        asked.append(question)
        return True

    made = found(ports, fix=True, options=Options(ask=ask))
    values = ports.deployment.settings.values()
    new, store = values["POSTGRES_PASSWORD"], json.loads(values["STORAGES"])["default"]["OPTIONS"]
    assert the(made, "A10-passwords").result is Result.FIXED
    assert "POSTGRES_PASSWORD: [hidden] → a random value" in asked[0]
    assert ports.conditions.server.password == new
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
