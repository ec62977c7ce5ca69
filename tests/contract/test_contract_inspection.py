"""The inspection of a deployment's host: the twin and the real one under Compose."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from compose_world import Deployment
from qfc import config, wiring
from qfc.errors import NotFoundError, RefusedError, UsageError
from qfc.stack.model import Revision, Vantage
from qfc.stack.ports import Inspection
from twins import Release, memory_deployment


@dataclass(frozen=True)
class Case:
    """The inspection under test, its project, and a name that does not resolve."""

    inspection: Inspection
    project: str
    nowhere: str = "nowhere.invalid"


@pytest.fixture(scope="module", params=["memory", pytest.param("compose", marks=pytest.mark.docker)])
def case(request: pytest.FixtureRequest) -> Iterator[Case]:
    if request.param == "memory":
        memory = memory_deployment(Release(Revision("a" * 40, "v1"))).deployment
        made = Case(memory.inspection, memory.project)
        memory.inspection.network.nowhere = frozenset({made.nowhere})
        memory.inspection.network.unreached[Vantage.APP, f"http://{made.nowhere}/"] = "no such name"
        yield made
        return
    deployed: Deployment = request.getfixturevalue("deployed_here")
    ports = wiring.wire(config.load(deployed.qfc.environment, stack="dep").stack())
    yield Case(ports.deployment.inspection, deployed.project)
    ports.close()


def test_every_service_has_a_container_with_its_network(case: Case) -> None:
    found = {one.service: one for one in case.inspection.containers.all()}
    assert {"db", "app", "worker_wrapper"} <= set(found)
    app = found["app"]
    assert (app.state, app.is_running, app.is_own, app.is_one_off, app.job_id) == ("running", True, True, False, "")
    assert (app.restart_policy, app.error, app.oom_killed) == ("unless-stopped", "", False)
    assert app.networks == (f"{case.project}_default",)
    assert set(app.networks) <= set(case.inspection.engine.networks())
    assert f"{case.project}_postgres_data" in case.inspection.engine.volumes()


def test_a_healthy_deployment_has_nothing_left_over(case: Case) -> None:
    assert case.inspection.containers.orphans() == ()
    assert case.inspection.host.temporary_folders() == ()
    assert case.inspection.engine.other_deployments() == ()


def test_a_mail_server_that_is_not_there_does_not_greet(case: Case) -> None:
    found = case.inspection.network.mail_server(case.nowhere, 25, encrypted=False)
    assert (found.extensions, bool(found.error)) == ((), True)


def test_the_engine_and_the_disks(case: Case) -> None:
    engine = case.inspection.engine.facts()
    assert engine.version
    assert engine.architecture in ("x86_64", "aarch64")
    assert engine.root.startswith("/")
    assert engine.compose_major == 2
    for disk in case.inspection.host.inodes():
        assert 0 < disk.free <= disk.total
        assert disk.name.startswith("/")
    assert abs(case.inspection.host.clock_offset_s()) < 5


def test_the_store_is_named_and_reached(case: Case) -> None:
    (store,) = case.inspection.environment.stores()
    assert (store.name, store.kind, store.endpoint) == ("default", "s3", "http://minio:9000")
    for vantage in (Vantage.APP, Vantage.NGINX):
        reached = case.inspection.network.reach(vantage, store.endpoint)
        assert (reached.status, reached.error) == (403, "")
        assert reached.ms is None or reached.ms > 0


def test_what_is_not_reached_says_why(case: Case) -> None:
    reached = case.inspection.network.reach(Vantage.APP, f"http://{case.nowhere}/")
    assert reached.status is None
    assert reached.error


def test_no_credentials_are_sent(case: Case) -> None:
    with pytest.raises(UsageError):
        case.inspection.network.reach(Vantage.APP, "http://somebody:hunter2@minio:9000")


def test_names_lead_somewhere_or_nowhere(case: Case) -> None:
    assert case.inspection.network.resolves("minio", Vantage.APP)
    assert case.inspection.network.resolves("localhost", Vantage.HOST)
    assert case.inspection.network.resolves(case.nowhere, Vantage.APP) == ()


def test_a_service_is_kept_running(case: Case) -> None:
    case.inspection.containers.keep_running("app")
    policies = {one.service: one.restart_policy for one in case.inspection.containers.all()}
    assert policies["app"] == "unless-stopped"
    with pytest.raises(NotFoundError):
        case.inspection.containers.keep_running("no-such-service")


def test_only_what_is_named_is_removed(case: Case) -> None:
    before = case.inspection.containers.all()
    with pytest.raises(RefusedError):
        case.inspection.containers.remove(["f" * 64])
    with pytest.raises(RefusedError, match="/etc"):
        case.inspection.host.remove_folders(["/etc"])
    case.inspection.containers.remove([])
    case.inspection.host.remove_folders([])
    assert {one.id for one in case.inspection.containers.all()} == {one.id for one in before}
