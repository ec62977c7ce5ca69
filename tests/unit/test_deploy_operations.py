"""Deployments in memory: successful ones, those that fail at a step, and operators that are killed at any call.

`tests/integration/test_compose_deploy.py` does the same on real containers, with one kill per step.
"""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest

from deploy_world import NEW, OLD, Fate, Killed, Operator, World, release, without
from qfc.errors import NotFoundError, QfcError, RefusedError
from qfc.operations.deploy import DeployOptions, RollbackOptions, deploy, deploy_rollback
from qfc.operations.guard import Options, guarded
from qfc.stack.env_file import EnvFile
from qfc.stack.migrations import planned
from qfc.stack.rate_limits import RateLimits
from qfc.stack.rollout import DeployState
from recorded import recorded

YES = Options(yes=True)
WANTED = DeployOptions(tag="b", migrate=True, collectstatic=True)
PASSWORDS = """POSTGRES_PASSWORD={database}
MINIO_ROOT_PASSWORD={store}
STORAGES='{{"default": {{"OPTIONS": {{"access_key": "a", "secret_key": "{store}"}}}}}}'
"""
#: More than the number of calls of a successful deployment.
MOST_CALLS = 200


def deployed(world: World, operator: Operator | None = None, wanted: DeployOptions = WANTED) -> Any:
    return deploy(world.ports(operator), wanted, YES)


def next_operator(world: World, operator: Operator | None = None) -> None:
    """Run another operation that changes something: it finishes or undoes the interrupted one."""
    with guarded(world.ports(operator), "services restart", target="db", options=YES):
        pass


def after(*releases: Any) -> dict[str, Any]:
    """Return the state of a world in which the release was deployed without interruption."""
    world = World(*releases)
    deployed(world)
    return world.seen()


def ids_aside(seen: dict[str, Any]) -> dict[str, Any]:
    """Replace ids, which differ in every world, by their number."""
    return without(seen, "jobs", "stored") | {"jobs": len(seen["jobs"]), "stored": len(seen["stored"])}


def calls_of(act: Any, *releases: Any) -> list[str]:
    operator = Operator()
    act(World(*releases), operator)
    assert len(operator.calls) < MOST_CALLS
    return operator.calls


DEPLOYMENT = calls_of(deployed)
BEFORE, AFTER = ids_aside(World().seen()), ids_aside(after())


def test_a_good_release_is_deployed_and_everybody_let_in() -> None:
    world = World()
    made = deployed(world)
    assert (made.result, made.exit_code, made.after) == (DeployState.DEPLOYED, 0, NEW.revision)
    assert world.site.running == NEW
    assert world.site.directory.migrations == NEW.migrations
    assert (world.site.held, world.site.workers) == (None, 2)
    assert world.seen()["projects"] == ["survey"]
    assert BEFORE != AFTER


@pytest.mark.parametrize("fails", ["build", "migrate", "start"])
def test_a_release_that_fails_never_stays(fails: str) -> None:
    world = World(OLD, release("b", migrations=3, fails=fails))
    before = world.seen()
    made = deployed(world)
    assert made.result is (DeployState.UNCHANGED if fails == "build" else DeployState.ROLLED_BACK)
    assert (made.exit_code, made.failed_step) == (1, {"build": "images"}.get(fails, fails))
    assert world.seen() == before


def test_migrations_that_nobody_asked_for_are_refused_before_anybody_notices() -> None:
    world = World()
    before = world.seen()
    made = deployed(world, wanted=DeployOptions(tag="b"))
    assert (made.result, made.hint) == (DeployState.UNCHANGED, "Add --migrate.")
    assert world.seen() == before


def test_a_release_with_a_squashed_migration_is_deployed() -> None:
    migrations = recorded("2026_08")["migrations"]
    known, _ = planned("\n".join(migrations["printed"]))
    world = World(replace(OLD, migrations=known), replace(NEW, migrations=(*known, "project.0010_area")))
    world.site.directory.migrations = tuple(migrations["rows"])
    assert deployed(world).result is DeployState.DEPLOYED


def test_files_that_were_changed_stop_it_unless_the_check_is_skipped() -> None:
    world = World()
    world.site.changed = ("docker-compose.yml",)
    with pytest.raises(RefusedError, match=r"clean tree: modified: docker-compose\.yml"):
        deployed(world)
    passing = DeployOptions(tag="b", migrate=True, skipped=("clean tree",))
    assert deployed(world, wanted=passing).result is DeployState.DEPLOYED


@pytest.mark.parametrize("number", range(1, len(DEPLOYMENT) + 1), ids=lambda n: f"{n}-{DEPLOYMENT[n - 1]}")
@pytest.mark.parametrize("fate", [fate for fate in Fate if fate.kills])
def test_an_operator_killed_at_any_call_leaves_what_the_next_one_puts_right(number: int, fate: Fate) -> None:
    world, operator = World(), Operator(number, fate)
    with pytest.raises(Killed):
        deployed(world, operator)
    world.bury()
    next_operator(world)
    seen = ids_aside(world.seen())
    assert seen in (BEFORE, AFTER)
    assert world.waiting in world.site.queue.job_rows
    with pytest.raises(NotFoundError) if seen == BEFORE else _nothing():
        deploy_rollback(world.ports(), RollbackOptions(with_data=True), YES)
    assert world.site.running == OLD


@pytest.mark.parametrize("number", range(1, len(DEPLOYMENT) + 1, 3), ids=lambda n: f"{n}-{DEPLOYMENT[n - 1]}")
def test_the_next_one_may_be_killed_too(number: int) -> None:
    for second in range(1, MOST_CALLS):
        world, operator = World(), Operator(second, Fate.KILLED_AFTER)
        with pytest.raises(Killed):
            deployed(world, Operator(number, Fate.KILLED_AFTER))
        world.bury()
        try:
            next_operator(world, operator)
        except Killed:
            world.bury()
            next_operator(world)
            assert ids_aside(world.seen()) in (BEFORE, AFTER), operator.calls[-1]
        else:
            assert len(operator.calls) < second
            return
    pytest.fail("the second operator never came to an end")


@pytest.mark.parametrize("number", range(1, len(DEPLOYMENT) + 1), ids=lambda n: f"{n}-{DEPLOYMENT[n - 1]}")
@pytest.mark.parametrize("fate", [fate for fate in Fate if not fate.kills])
def test_an_error_at_any_call_leaves_the_release_of_before_or_the_new_one(number: int, fate: Fate) -> None:
    world = World()
    try:
        made = deployed(world, Operator(number, fate))
        told = made.result
    except QfcError as error:
        told = error.message
    world.bury()  # where the lock itself could not be released
    is_open = world.seen()["under way"] is not None
    if is_open:
        assert "has passed the gate" in str(told)
    next_operator(world)
    seen = ids_aside(world.seen())
    assert seen in (BEFORE, AFTER)
    assert not is_open or seen == AFTER
    assert told is not DeployState.DEPLOYED or seen == AFTER


BROKEN = release("b", migrations=3, fails="start")


def failing(world: World, operator: Operator) -> None:
    deployed(world, operator)


FAILURE = calls_of(failing, OLD, BROKEN)


@pytest.mark.parametrize("number", range(1, len(FAILURE) + 1), ids=lambda n: f"{n}-{FAILURE[n - 1]}")
def test_what_is_written_after_going_back_is_never_lost_by_going_back_again(number: int) -> None:
    """The operator is killed during the rollback; a user writes if that is allowed then; the next operator follows."""
    world = World(OLD, BROKEN)
    with pytest.raises(Killed):
        failing(world, Operator(number, Fate.KILLED_AFTER))
    world.bury()
    wrote = world.write("drawn-meanwhile")
    next_operator(world)
    assert ("drawn-meanwhile" in world.seen()["projects"]) is wrote
    assert ids_aside(without_project(world, "drawn-meanwhile")) == BEFORE


def without_project(world: World, name: str) -> dict[str, Any]:
    seen = world.seen()
    return seen | {"projects": [one for one in seen["projects"] if one != name]}


def test_a_service_that_ailed_before_is_not_waited_for_on_the_way_back() -> None:
    world = World(OLD, BROKEN)
    world.plain.runtime.fail("worker_wrapper")
    world.site.unready = ("worker_wrapper",)
    made = deployed(world)
    assert (made.result, world.site.held) == (DeployState.ROLLED_BACK, None)


def test_with_dry_run_nothing_is_changed() -> None:
    world = World()
    before = world.seen()
    made = deploy(world.ports(), WANTED, Options(dry_run=True))
    assert (made.dry_run, made.exit_code) == (True, 0)
    assert world.seen() == before


def test_the_way_back_with_and_without_the_data() -> None:
    world = World()
    before = world.seen()
    deployed(world)
    with pytest.raises(RefusedError, match="2 migrations were applied since"):
        deploy_rollback(world.ports(), RollbackOptions(), YES)
    made = deploy_rollback(world.ports(), RollbackOptions(with_data=True), YES)
    assert made.result is DeployState.DEPLOYED
    assert world.seen() == before
    again = deploy_rollback(world.ports(), RollbackOptions(to="b", with_data=True), YES)
    assert (again.result, again.message, world.site.running) == (DeployState.DEPLOYED, "", NEW)


def test_the_way_back_keeps_the_passwords_that_were_replaced_since() -> None:
    world = World()
    world.site.env += PASSWORDS.format(database="old1", store="old2")
    deployed(world)
    lines = world.site.env.replace("old1", "new1").replace("old2", "new2")
    world.site.env = f"{lines}LINE_OF_THE_NEW_RELEASE=1\n"
    made = deploy_rollback(world.ports(), RollbackOptions(with_data=True), YES)
    values = EnvFile(world.site.env).values
    assert made.result is DeployState.DEPLOYED
    assert "LINE_OF_THE_NEW_RELEASE" not in values
    assert (values["POSTGRES_PASSWORD"], values["MINIO_ROOT_PASSWORD"]) == ("new1", "new2")
    assert json.loads(values["STORAGES"])["default"]["OPTIONS"] == {"access_key": "a", "secret_key": "new2"}


class _nothing:  # noqa: N801 - it reads like pytest.raises: no exception is expected
    def __enter__(self) -> None: ...
    def __exit__(self, *_: object) -> None: ...


@pytest.mark.parametrize("broken", [False, True], ids=["deployed", "rolled back"])
def test_a_new_container_of_nginx_gets_its_limits_back(broken: bool) -> None:
    world = World(OLD, release("b", migrations=3, fails="start")) if broken else World()
    world.plain.rate_limits.apply(RateLimits(10, 5))
    world.plain.rate_limits.recreated = True
    with suppress(QfcError):
        deployed(world)
    assert world.plain.rate_limits.in_force()
    assert world.plain.rate_limits.limits == RateLimits(10, 5)
