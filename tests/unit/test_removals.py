"""No change of the Compose files takes away what holds data or what another service needs."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from checks_world import VALUES, found, healthy, ids, the
from qfc.drivers.runtimes.compose.plan import read_config
from qfc.operations.guard import Options
from qfc.stack.findings import Result
from qfc.stack.model import ComposeFacts
from qfc.stack.removals import DATA_SERVICES, NEEDED_SERVICES, refusal, removals
from queue_world import RELEASES
from twins.site import FOLDER

BASE, PROD, LOCAL, STANDALONE = "2026_08.yml", "2026_08.prod.yml", "2026_08.local.yml", "2026_08.standalone.yml"
names = st.sampled_from(["app", "db", "nginx", "rustfs", "mailer", "extra", "worker_wrapper"])
definitions = st.dictionaries(names, st.tuples(st.booleans(), st.lists(names, max_size=2)), max_size=6)


def facts(*files: str) -> ComposeFacts:
    """Return what files of a release define together, without what Compose fills in."""
    services: dict[str, dict[str, Any]] = {}
    for file in files:
        for name, service in yaml.safe_load((RELEASES / file).read_text())["services"].items():
            before = services.setdefault(name, {})
            needs = [*before.get("depends_on", ()), *service.get("depends_on", ())]
            volumes = [*before.get("volumes", ()), *service.get("volumes", ())]
            services[name] = {"image": "x", "depends_on": needs, "volumes": volumes}
    plan = read_config(yaml.safe_dump({"services": services}), version="1.29.2").services
    return ComposeFacts(
        images=dict.fromkeys(plan, "x"),
        volumes={name: one.volumes for name, one in plan.items()},
        needs={name: one.needs for name, one in plan.items()},
    )


def test_the_file_that_alone_defines_database_and_store_stays() -> None:
    gone = removals(facts(BASE, PROD, STANDALONE), facts(BASE, PROD))
    assert [one.service for one in gone] == ["createbuckets", "db", "rustfs", "smtp4dev", "webdav"]
    assert refusal(gone) == "It would remove services that hold data: db, rustfs, smtp4dev, webdav."


def test_a_file_for_development_may_go() -> None:
    gone = removals(facts(BASE, LOCAL, STANDALONE), facts(BASE, STANDALONE))
    assert ([one.service for one in gone], refusal(gone)) == (["uvcompile"], None)


def test_what_another_service_needs_stays() -> None:
    now = ComposeFacts(images=dict.fromkeys(("app", "cache"), "x"), needs={"app": ("cache",)})
    gone = removals(now, replace(now, images={"app": "x"}))
    assert refusal(gone) == "It would remove services that are needed: cache (by app)."


@given(now=definitions, then=st.sets(names))
def test_nothing_goes_that_holds_data_or_is_needed(now: dict[str, tuple[bool, list[str]]], then: set[str]) -> None:
    before = ComposeFacts(
        images=dict.fromkeys(now, "x"),
        volumes={name: (f"{name}_data",) for name, (has_data, _) in now.items() if has_data},
        needs={name: tuple(needs) for name, (_, needs) in now.items()},
    )
    gone = removals(before, replace(before, images=dict.fromkeys(then, "x")))
    assert {one.service for one in gone} == set(now) - then
    kept = DATA_SERVICES | NEEDED_SERVICES | {name for name, (has_data, _) in now.items() if has_data}
    kept |= {need for name, (_, needs) in now.items() if name in then for need in needs}
    assert (refusal(gone) is not None) is bool((set(now) - then) & kept)


@pytest.mark.parametrize("service", ["db", "nginx"])
def test_development_files_that_define_more_are_found_and_never_removed(service: str) -> None:
    ports, _ = healthy("compose")
    ports.deployment.site.env += f"{VALUES['A01'][0]}\n"
    ports.deployment.site.defined_by["docker-compose.override.local.yml"] = {"minio": ("minio_data",), service: ()}
    before = ports.deployment.site.env
    made = found(ports, fix=True)
    assert the(made, "A01").result is Result.FOUND
    assert "qfc does not remove them. It would remove services that hold data: " in the(made, "A01").evidence
    assert ports.deployment.site.env == before


def test_a_plan_names_the_services_that_would_go() -> None:
    ports, _ = healthy("compose")
    ports.deployment.site.env += f"{VALUES['A01'][0]}\n"
    ports.deployment.site.defined_by["docker-compose.override.local.yml"] = {"uvcompile": ()}
    questions: list[str] = []
    found(ports, fix=True, options=Options(ask=lambda question: questions.append(question) is None))
    assert "uvcompile would no longer be defined" in questions[0]
    assert "A01" not in ids(found(ports))


@pytest.mark.parametrize(("kept", "result"), [(["nginx", "memcached", "ofelia"], Result.FIXED), ([], Result.FOUND)])
def test_where_a_development_file_is_missing_the_containers_show_what_would_go(kept: list[str], result: Result) -> None:
    ports, _ = healthy("compose")
    ports.deployment.site.env += f"{VALUES['A01'][0]}\n"
    ports.deployment.site.missing_files = ("docker-compose.override.local.yml",)
    ports.deployment.site.extra.update(dict.fromkeys(kept, "image"))
    assert the(found(ports, fix=True), "A01").result is result


@pytest.mark.parametrize(
    ("label", "line", "written"),
    [
        ("docker-compose.yml,mine/extra.yml,/etc/more.yml", "", "docker-compose.yml:mine/extra.yml:/etc/more.yml"),
        (f"{FOLDER}/docker-compose.yml,{FOLDER}/docker-compose.override.prod.yml", "",
         "docker-compose.yml:docker-compose.override.prod.yml"),
        (f"{FOLDER}/docker-compose.yml,{FOLDER}/docker-compose.override.yml", "", None),
        ("docker-compose.yml,mine/extra.yml", "COMPOSE_FILE=docker-compose.yml\n", None),
        ("", "", None),
    ],
)  # fmt: skip
def test_files_that_only_a_command_line_named(label: str, line: str, written: str | None) -> None:
    """Without them, qfc would take services that run for orphans, and recreate others from half of their files."""
    ports, _ = healthy("compose")
    ports.deployment.site.env += line
    containers = ports.deployment.inspection.containers
    labels = {"com.docker.compose.project.config_files": label}
    containers.rows = [replace(one, labels=labels) if one.service == "app" else one for one in containers.rows]
    began = list(ports.runtime.lines)
    if written is None:
        assert "A01-files" not in ids(found(ports))
        return
    assert the(found(ports, fix=True), "A01-files").result is Result.FIXED
    assert ports.deployment.settings.values()["COMPOSE_FILE"] == written
    assert ports.runtime.lines == began


def test_the_standalone_file_is_no_finding() -> None:
    ports, _ = healthy("compose")
    ports.deployment.site.env += "COMPOSE_FILE=docker-compose.yml:docker-compose.override.standalone.yml\n"
    assert "A01" not in ids(found(ports))


def test_a_running_container_that_holds_data_is_never_removed() -> None:
    ports, _ = healthy("compose")
    containers = ports.deployment.inspection.containers
    containers.orphaned = ("db", "mailer")
    containers.rows.append(containers.of("mailer"))
    made = found(ports, fix=True)
    assert "These run and hold data, so qfc keeps them: memory-db-1" in the(made, "A09-data").evidence
    assert {one.service for one in containers.rows} >= {"db"}
    assert "mailer" not in {one.service for one in containers.rows}
