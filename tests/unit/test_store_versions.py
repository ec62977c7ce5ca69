"""What a store still holds of deleted files: read, found, shown by project, and ended by a rule."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from checks_world import found, healthy, ids, the
from qfc.drivers.runtimes.compose.inspection.stores import parsed
from qfc.errors import CommandError
from qfc.operations.services_disk import services_disk
from qfc.stack.deploy_records import FOLDER, RECORD
from qfc.stack.model import Revision, StoreContent, StoredBytes
from qfc.stack.rollout import Record, as_document
from qfc.stack.store_content import most_deleted
from repair_world import deleted_files

# As the script printed it beside a real v26.25, after a deleted project of 270 MB; ids replaced.
RECORDED = json.dumps(
    [
        {
            "store": "default",
            "keeps_deleted": True,
            "is_whole": True,
            "projects": {"6f1d7b2e-0000": [970_000, 270_400_000], "9ab00000-0000": [0, 5_000_000]},
        }
    ]
)


def test_what_the_script_prints_is_read() -> None:
    (content,) = parsed(RECORDED)
    assert content.keeps_deleted
    assert (content.live, content.deleted) == (970_000, 275_400_000)


def test_deleted_files_are_listed_by_project_the_largest_first() -> None:
    many = StoreContent("b", True, True, tuple(StoredBytes(f"p{number:02}", 9, number) for number in range(15)))
    listed = most_deleted([*parsed(RECORDED), many], lambda ids: {id: "alice/trees" for id in ids if id[0] == "6"})
    assert listed[:3] == [
        ("alice/trees", 270_400_000),
        ("deleted project 9ab00000", 5_000_000),
        ("deleted project p14", 14),
    ]
    assert listed[-1] == ("other projects", sum(range(15)) - sum(range(7, 15)))


@pytest.mark.parametrize(
    ("content", "is_found"),
    [
        (StoreContent("default", True, True, (StoredBytes("a", 5, 270_000_000),)), True),
        (StoreContent("default", True, True, (StoredBytes("a", 270_000_000, 5),)), False),
        (StoreContent("default", False, True, (StoredBytes("a", 5, 270_000_000),)), False),
    ],
)
def test_a_store_is_a_problem_if_it_has_much_and_nothing_removes_it(content: StoreContent, is_found: bool) -> None:
    ports, world = healthy("compose")
    deleted_files(ports, world)
    ports.deployment.inspection.stores.given = (content,)
    assert ("deleted-files" in ids(found(ports))) is is_found


@pytest.mark.parametrize("in_use", [None, {"legacy_storage": 3, "default": 1}])
def test_versions_of_earlier_releases_are_the_users_own(in_use: dict[str, int] | None) -> None:
    ports, world = healthy("compose")
    deleted_files(ports, world)
    ports.conditions.projects.stores_in_use = lambda: in_use  # pyright: ignore[reportAttributeAccessIssue]
    assert "deleted-files" not in ids(found(ports))


def test_a_store_that_cannot_be_asked_is_unknown() -> None:
    ports, world = healthy("compose")
    deleted_files(ports, world)
    ports.deployment.inspection.stores.failure = CommandError("The application cannot ask the file store: AccessDenied")
    assert any(one.id == "deleted-files" and "AccessDenied" in one.evidence for one in found(ports).findings)


def test_the_rule_spares_what_a_rollback_may_need() -> None:
    ports, world = healthy("compose")
    deleted_files(ports, world)
    began = ports.clock.now() - timedelta(days=50)
    record = Record("20260101-1", "deploy", began, "anna", Revision("a" * 40, "v1"), Revision("b" * 40, "v2"))
    ports.records.write(f"{FOLDER}/{record.id}/{RECORD}", as_document(record))
    made = the(found(ports, fix=True), "deleted-files")
    assert made.result == "fixed"
    assert ports.deployment.inspection.stores.days == 52


def test_the_disk_shows_deleted_files_by_project() -> None:
    ports, world = healthy("compose")
    deleted_files(ports, world)
    (part,) = [one for one in services_disk(ports).parts if one.kind == "deleted files"]
    assert (part.name, part.bytes) == ("deleted project gone", 270_000_000)
    assert "qfc doctor" in part.detail
    ports.deployment.inspection.stores.failure = CommandError("no store")
    (part,) = [one for one in services_disk(ports).parts if one.kind == "deleted files"]
    assert (part.bytes, part.detail) == (None, "no store")
