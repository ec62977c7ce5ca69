"""Releases that an upgrade cannot skip: every rule applies where it should, and only there."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from qfc.stack.upgrade_stops import Upgrade, Version, database_image, referenced, stops, version

COMPOSE = """
services:
  app:
    image: opengisch/qfieldcloud-app:${TAG:-latest}
    environment:
      DEBUG: ${DEBUG}
      # OLD: ${GONE}
      HOST: "${QFIELDCLOUD_HOST:?set it}"
      PRICE: $${NOT_A_VARIABLE}

  db:
    restart: unless-stopped
    environment:
      POSTGRES_DB: $POSTGRES_DB

    image: "postgis/postgis:${POSTGIS_IMAGE_VERSION-13-3.1}"
"""
GOOD = Upgrade(
    before="v25.27",
    after="v25.30",
    environment={"DEBUG": "0", "QFIELDCLOUD_HOST": "field.example.org", "POSTGRES_DB": "x"},
    compose_text=COMPOSE,
    volumes=("qfc_postgres_data", "qfc_minio_data1"),
    server_version="13.4 (Debian 13.4-1)",
    target_date=date(2026, 9, 1),
)
OLDER = replace(GOOD, after="v25.26")
PROJECTS = replace(GOOD, target_date=date(2026, 7, 1), has_old_projects=True)
MINIO = "  minio:\n    image: minio/minio:1\n"
RUSTFS = "  rustfs:\n    image: rustfs/rustfs:1\n"
LEGACY = {**GOOD.environment, "STORAGE_ACCESS_KEY_ID": "minio"}
QGIS = {**GOOD.environment, "QFIELDCLOUD_QGIS_IMAGE_NAME": "qgis"}
QGIS3 = "QFIELDCLOUD_QGIS3_IMAGE_NAME: ${QFIELDCLOUD_QGIS3_IMAGE_NAME:-qgis}"


def with_text(text: str, upgrade: Upgrade = GOOD) -> Upgrade:
    return replace(upgrade, compose_text=upgrade.compose_text + text)


def test_a_release_that_can_be_passed_has_no_stop() -> None:
    assert stops(GOOD) == ()


@pytest.mark.parametrize(
    ("upgrade", "id", "blocks", "what"),
    [
        (replace(GOOD, environment={"DEBUG": "1"}), "A12", True, "POSTGRES_DB, QFIELDCLOUD_HOST"),
        (replace(GOOD, before="v25.26", geodb_rows=2), "I01", True, "2 users"),
        (replace(GOOD, before="v25.26.1"), "I01", False, "removes the service geodb"),
        (replace(GOOD, before="v0.33.0", after="v25.27"), "I01", False, "removes the service geodb"),
        (with_text(RUSTFS), "C04", True, "would be gone"),
        (replace(GOOD, environment=LEGACY, example_text="STORAGES=x"), "C06", True, "from STORAGES only"),
        (PROJECTS, "I02", True, "June to August 2026"),
        (replace(PROJECTS, target_date=date(2026, 6, 1)), "I02", True, "June to August 2026"),
        (replace(PROJECTS, target_date=date(2026, 8, 14)), "I02", True, "June to August 2026"),
        (replace(GOOD, server_version="12.1"), "I03", True, "PostgreSQL 13, but the data are from PostgreSQL 12"),
        (replace(with_text(QGIS3), environment=QGIS), "E01", False, "reads QFIELDCLOUD_QGIS3_IMAGE_NAME instead"),
    ],
)
def test_a_stop_is_found(upgrade: Upgrade, id: str, blocks: bool, what: str) -> None:
    (stop,) = stops(upgrade)
    assert (stop.id, stop.blocks) == (id, blocks)
    assert what in stop.what
    assert stop.fix.endswith(".")


@pytest.mark.parametrize(
    "upgrade",
    [
        replace(GOOD, before="v25.20", after="v25.26", geodb_rows=2),
        replace(GOOD, before="v25.27", after="v25.28", geodb_rows=2),
        replace(GOOD, before="v25.26", after="master", geodb_rows=2),
        replace(with_text(RUSTFS), volumes=("qfc_rustfs_data",)),
        with_text(MINIO + RUSTFS),
        replace(GOOD, environment=LEGACY),
        replace(GOOD, environment=LEGACY, example_text="STORAGE_ACCESS_KEY_ID=\nSTORAGES="),
        replace(GOOD, environment={**LEGACY, "STORAGES": "{}"}, example_text="STORAGES="),
        replace(PROJECTS, target_date=date(2026, 5, 31)),
        replace(PROJECTS, target_date=date(2026, 8, 15)),
        replace(PROJECTS, target_date=None),
        replace(PROJECTS, has_old_projects=False),
        replace(PROJECTS, after="master"),
        replace(PROJECTS, after="v0.33.0", before="v0.30.0"),
        replace(GOOD, server_version=""),
        replace(GOOD, server_version="18beta1"),
        replace(GOOD, environment={**GOOD.environment, "POSTGIS_IMAGE_VERSION": "latest"}),
        replace(GOOD, environment=QGIS),
        replace(with_text(QGIS3), environment={**QGIS, "QFIELDCLOUD_QGIS3_IMAGE_NAME": "qgis"}),
    ],
)
def test_a_rule_is_silent(upgrade: Upgrade) -> None:
    assert stops(upgrade) == ()


def test_stops_that_block_come_first() -> None:
    found = stops(replace(GOOD, before="v25.26", server_version="12.1"))
    assert [(stop.id, stop.blocks) for stop in found] == [("I03", True), ("I01", False)]


def test_values_of_the_environment_are_told_nowhere() -> None:
    upgrade = replace(GOOD, environment={"SECRET_KEY": "hunter2", "STORAGE_ACCESS_KEY_ID": "hunter2"}, example_text="x")
    assert "hunter2" not in repr((upgrade, stops(upgrade)))


@pytest.mark.parametrize(
    ("name", "numbers"),
    [
        ("v25.27", (25, 27, 0)),
        ("25.27.1", (25, 27, 1)),
        ("v0.33.0-4-gabcdef0", (0, 33, 0)),
        ("master", None),
        ("91aa9769b2", None),
        ("release-1.2", None),
        ("", None),
    ],
)
def test_numbers_of_a_release(name: str, numbers: Version | None) -> None:
    assert version(name) == numbers


def test_variables_with_and_without_a_default() -> None:
    bare, other = referenced(COMPOSE)
    assert bare == {"DEBUG", "QFIELDCLOUD_HOST", "POSTGRES_DB"}
    assert other == {"TAG", "POSTGIS_IMAGE_VERSION"}


@pytest.mark.parametrize(
    ("text", "bare", "other"),
    [
        ("${A?}", {"A"}, set()),
        ("${A:+x}", set(), {"A"}),
        ("${A}${A:-}", set(), {"A"}),
        ("${A:-${B}_x}", set(), {"A"}),
        ("$$A $${B}", set(), set()),
        ("a: ${A} # ${B}\n  # - ${C}\n", {"A", "B"}, set()),
    ],
)
def test_a_variable_is_wanted_unless_some_place_has_a_default(text: str, bare: set[str], other: set[str]) -> None:
    assert referenced(text) == (bare, other)


@pytest.mark.parametrize(
    ("environment", "image"),
    [
        ({}, "postgis/postgis:13-3.1"),
        ({"POSTGIS_IMAGE_VERSION": "16-3.4"}, "postgis/postgis:16-3.4"),
    ],
)
def test_the_image_of_the_database(environment: dict[str, str], image: str) -> None:
    assert database_image(COMPOSE, environment) == image


def test_the_image_of_the_database_in_the_last_file_counts() -> None:
    assert database_image(f"{COMPOSE}\nservices:\n  db:\n    image: postgres:17\n", {}) == "postgres:17"


@pytest.mark.parametrize(
    "text", ["", "  db:\n    build: .\n  geodb:\n    image: postgis:13\n", "  geodb:\n    image: x\n"]
)
def test_without_an_image_for_the_database_nothing_is_said(text: str) -> None:
    assert database_image(text, {}) == ""


@pytest.mark.parametrize(
    ("image", "ids"),
    [
        ("registry.example:5000/postgis/postgis:13-3.1", []),
        ("registry.example:5000/postgis/postgis", []),
        ("postgis/postgis:13-3.1@sha256:9f86d081884c7d65", []),
        ("postgis/postgis@sha256:9f86d081884c7d65", []),
        ("registry.example:5000/postgis/postgis:16-3.4", ["I03"]),
        ("postgres:16@sha256:13", ["I03"]),
    ],
)
def test_the_release_of_the_database_is_the_number_of_its_tag(image: str, ids: list[str]) -> None:
    upgrade = replace(GOOD, compose_text=f"services:\n  db:\n    image: {image}\n")
    assert [stop.id for stop in stops(upgrade)] == ids


def test_an_older_release_is_said_to_be_one() -> None:
    older = {stop.id: stop for stop in stops(OLDER)}["older"]
    assert not older.blocks
    assert "v25.26 is older than v25.27" in older.what
    assert "rollback --with-data" in older.fix


@pytest.mark.parametrize(("before", "after"), [("v25.27", "v25.27"), ("v25.9", "v25.10"), ("main", "v25.26")])
def test_other_releases_are_not(before: str, after: str) -> None:
    assert "older" not in {stop.id for stop in stops(replace(GOOD, before=before, after=after))}
