"""Services, from containers and a plan: their state, their expected state, and their order."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from qfc.drivers.docker.containers import Container
from qfc.drivers.docker.restarts import Past
from qfc.drivers.docker.snapshot import Snapshot, Use
from qfc.drivers.runtimes.compose.plan import ComposePlan, ServicePlan
from qfc.drivers.runtimes.compose.services import services
from qfc.stack.health import of_service
from qfc.stack.model import Health, Service, ServiceState, Verdict

NOW = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
BLANK = Container(
    "a1" * 32, "qfc-app-1", "app:1", "sha256:1", "running", 7, NOW, NOW, None, 0, False, 0, "", None, False, None, ""
)


def container(service: str = "app", number: int = 1, *, one_off: bool = False, **values: object) -> Container:
    label = "com.docker.compose"
    labels = {f"{label}.service": service, f"{label}.container-number": str(number), f"{label}.oneoff": str(one_off)}
    named = replace(BLANK, name=f"qfc-{service}-{number}", labels=labels)
    return replace(named, **values)


def planned(**wanted: int) -> ComposePlan:
    return ComposePlan({name: ServicePlan(name, "", count, "always", False) for name, count in wanted.items()})


def only(*containers: Container, plan: ComposePlan | None = None, uses: dict[int, Use] | None = None) -> Service:
    look = Snapshot(NOW + timedelta(hours=1), containers, uses or {})
    (service,) = services(look, plan or planned(app=len(containers)), {"qfc-app-1": Past(restarts=3, oom_kills=2)})
    return service


def test_an_instance_is_what_was_seen_of_its_container() -> None:
    (one,) = only(container(), uses={7: Use(12.5, 1000, 1)}).instances
    assert (one.id, one.state, one.pid, one.uptime_s) == ("qfc-app-1", ServiceState.RUNNING, 7, 3600)
    assert (one.cpu_percent, one.memory_bytes) == (12.5, 1000)
    assert (one.restarts, one.oom_kills, one.exit_code) == (3, 2, None)
    assert (one.image, one.host) == ("app:1", "a1a1a1a1a1a1")


def test_an_instance_that_ended_has_its_exit_code_and_no_use() -> None:
    ended = container(status="exited", pid=None, exit_code=137)
    (one,) = only(ended, uses={0: Use(1.0, 1, 1)}).instances
    assert (one.state, one.exit_code) == (ServiceState.STOPPED, 137)
    assert (one.uptime_s, one.cpu_percent, one.memory_bytes) == (None, None, None)


def test_a_host_whose_clock_went_back_gives_no_negative_time() -> None:
    (one,) = only(container(started_at=NOW + timedelta(hours=2))).instances
    assert one.uptime_s == 0


@pytest.mark.parametrize(
    ("status", "state", "exit_code"),
    [
        ("running", ServiceState.RUNNING, None),
        ("paused", ServiceState.STOPPED, 1),
        ("restarting", ServiceState.RESTARTING, 1),
        ("created", ServiceState.STOPPED, None),
        ("exited", ServiceState.STOPPED, 1),
        ("dead", ServiceState.STOPPED, 1),
        ("removing", ServiceState.STOPPED, 1),
        ("dreaming", ServiceState.UNKNOWN, 1),
    ],
)
def test_states_of_the_engine(status: str, state: ServiceState, exit_code: int | None) -> None:
    service = only(container(status=status, exit_code=1))
    assert (service.state, service.instances[0].exit_code) == (state, exit_code)


@pytest.mark.parametrize(
    ("statuses", "state", "running"),
    [
        (["exited", "running"], ServiceState.RUNNING, 1),
        (["exited", "restarting"], ServiceState.RESTARTING, 0),
        (["dreaming", "exited"], ServiceState.STOPPED, 0),
        ([], ServiceState.MISSING, 0),
    ],
)
def test_a_service_is_what_the_best_of_its_instances_is(statuses: list[str], state: ServiceState, running: int) -> None:
    found = [container(number=number, status=status) for number, status in enumerate(statuses, 1)]
    service = only(*found, plan=planned(app=2))
    assert (service.state, service.running, service.wanted) == (state, running, 2)


@pytest.mark.parametrize(
    ("said", "health"),
    [
        (["healthy"], Health.HEALTHY),
        (["starting"], Health.UNKNOWN),
        (["unhealthy", "healthy"], Health.UNHEALTHY),
        (["healthy", "starting"], Health.UNKNOWN),
        (["healthy", None], Health.HEALTHY),
        ([None], Health.NONE),
        (["none"], Health.NONE),
    ],
)
def test_the_worst_check_counts(said: list[str | None], health: Health) -> None:
    assert only(*(container(number=number, health=one) for number, one in enumerate(said, 1))).health is health


def test_only_what_runs_has_a_health() -> None:
    ended = container(number=2, status="exited", health="unhealthy")
    assert only(container(health="healthy"), ended).health is Health.HEALTHY
    assert only(ended).health is Health.UNKNOWN


def test_a_task_that_has_done_its_work_is_not_wanted() -> None:
    plan = ComposePlan({"mkcert": ServicePlan("mkcert", "", 1, "no", False)})
    for seen in ((container("mkcert", status="exited"),), ()):
        service = only(*seen, plan=plan)
        assert (service.state, service.wanted, service.is_task) == (ServiceState.STOPPED, 0, True)


def test_what_was_scaled_to_none_is_stopped_and_not_missing() -> None:
    assert only(plan=planned(app=0)).state is ServiceState.STOPPED


def test_a_service_that_is_in_no_plan_any_more_is_shown() -> None:
    look = Snapshot(NOW, (container("geodb"), container("geodb", 2)))
    # If the files can be read, it is a left-over that nobody waits for; if not, its state is the expected one.
    assert [(one.name, one.wanted) for one in services(look, planned(app=1), {})] == [("geodb", 0), ("app", 1)]
    assert [(one.name, one.wanted) for one in services(look, ComposePlan({}), {})] == [("geodb", 2)]


def test_containers_of_single_commands_are_no_instances() -> None:
    assert len(only(container(), container(number=2, one_off=True), plan=planned(app=1)).instances) == 1


def test_services_and_instances_have_a_fixed_order() -> None:
    names = ("zeta", "nginx", "app", "db", "alpha", "worker_wrapper")
    workers = [container("worker_wrapper", number) for number in (10, 2, 1)]
    found = services(Snapshot(NOW, tuple(workers)), planned(**dict.fromkeys(names, 1)), {})
    assert [one.name for one in found] == ["db", "app", "worker_wrapper", "nginx", "alpha", "zeta"]
    assert [one.id for one in found[2].instances] == [f"qfc-worker_wrapper-{number}" for number in (1, 2, 10)]


@pytest.mark.parametrize(
    ("nginx", "verdict"),
    [("running", Verdict.OK), ("restarting", Verdict.DEGRADED), ("exited", Verdict.DEGRADED)],
)
def test_a_task_that_ends_with_1_because_its_result_exists_is_done(nginx: str, verdict: Verdict) -> None:
    """A second start of v26.24: mkcert's certificate exists, so it ends with 1; nginx cannot run without one."""
    plan = ComposePlan({"mkcert": ServicePlan("mkcert", "", 1, "", False), **planned(nginx=1).services})
    ended = container("mkcert", status="exited", pid=None, exit_code=1)
    seen = Snapshot(NOW + timedelta(hours=1), (ended, container("nginx", status=nginx)), {})
    (mkcert,) = [one for one in services(seen, plan, {}) if one.name == "mkcert"]
    assert of_service(mkcert).verdict is verdict


def test_another_task_that_failed_has_failed() -> None:
    plan = ComposePlan({"createbuckets": ServicePlan("createbuckets", "", 1, "", False), **planned(nginx=1).services})
    ended = container("createbuckets", status="exited", pid=None, exit_code=1)
    seen = Snapshot(NOW + timedelta(hours=1), (ended, container("nginx")), {})
    assert {one.name: of_service(one).verdict for one in services(seen, plan, {})} == {
        "nginx": Verdict.OK,
        "createbuckets": Verdict.DEGRADED,
    }
