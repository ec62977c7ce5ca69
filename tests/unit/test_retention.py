"""The images and files of a deployment that may be removed, and those that a rollback needs."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from qfc.stack.model import Image, Revision
from qfc.stack.retention import KEEP_DEPLOYMENTS, outlived, removable_images
from qfc.stack.rollout import DeployState, Record

OLD = Image("sha256:1", ("app:1",), (), datetime(2026, 1, 1, tzinfo=UTC), 1000)


@pytest.mark.parametrize(
    ("image", "needed", "reason"),
    [
        (replace(OLD, services=("app", "worker_wrapper")), (), "image of app, worker_wrapper"),
        (replace(OLD, in_use=True), (), "used by a container"),
        (OLD, ("sha256:1",), "needed for rollback to an earlier release"),
    ],
)
def test_an_image_that_something_needs_stays(image: Image, needed: tuple[str, ...], reason: str) -> None:
    plan = removable_images([image], needed)
    assert (plan.remove, plan.keep) == ((), ((image, reason),))


def test_an_image_that_nothing_needs_goes() -> None:
    other = replace(OLD, id="sha256:2", names=())
    plan = removable_images([OLD, other], ["sha256:2"])
    assert (plan.remove, [image for image, _ in plan.keep]) == ((OLD,), [other])


def record(day: int, state: DeployState = DeployState.DEPLOYED) -> Record:
    at = datetime(2026, 5, day, tzinfo=UTC)
    return Record(f"{at:%Y%m%d}-120000-ab", "deploy", at, "anna", Revision("a", ""), Revision("b", ""), state=state)


def test_the_newest_deployments_keep_their_way_back() -> None:
    records = [record(day) for day in (3, 9, 1, 7, 5, 2, 8)]
    assert outlived(records) == (record(2), record(1))
    assert outlived(records[:KEEP_DEPLOYMENTS]) == ()
    assert len(outlived(records, keep=0)) == len(records)


@pytest.mark.parametrize("state", [DeployState.ROLLED_BACK, DeployState.UNCHANGED])
def test_what_came_to_nothing_pushes_out_no_way_back(state: DeployState) -> None:
    nothing = [record(day, state) for day in range(20, 24)]
    assert outlived([record(1), record(2), *nothing], keep=2) == (record(21, state), record(20, state))
