"""Every repair of the catalogue, alone and with others, on deployments of all shapes.

None removes or stops what holds data; the files stay valid; what was repaired is not found again; and another run of
the repairs changes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from checks_world import found, healthy
from qfc.checks import EVERYTHING, Auto
from qfc.operations.sync_diagnose import Diagnosis
from qfc.stack.env_file import EnvFile
from qfc.stack.findings import Result
from qfc.stack.removals import DATA_SERVICES
from repair_world import FAULTS, IN_ROWS, ON_ENGINES, ON_STACKS, add, service
from twins import MemoryPorts

#: Faults of which only one may be there: they replace the same thing.
ALTERNATIVES = ({"A01", "A01-files"}, {"A13-new", "A13-pending", "A10-new"}, {"C07", "A10-passwords"}, {"B10", "B18"},
                {"A03", "A03-log"}, {"D04-jobs", "D05-jobs", "C11-jobs"}, {"B06", "B07", "B06-jobs"}, {"F08", "F09"},
                {"D11", "D11-few"}, {"C02-down", "A10-passwords"})  # fmt: skip
STORE = "docker-compose.override.standalone.yml"
OTHERS = st.sampled_from(["redis", "webdav", "rustfs", "smtp4dev", "geodb", "backup"])


@dataclass(frozen=True)
class Shape:
    """A deployment: files that alone define services, orphaned containers, comments and quotes in `.env`."""

    files: dict[str, dict[str, tuple[str, ...]]]
    orphans: dict[str, tuple[bool, bool]]
    head: str
    port: int


def _files() -> st.SearchStrategy[dict[str, dict[str, tuple[str, ...]]]]:
    volumes = st.sampled_from([(), ("data",)])
    names = st.sampled_from([STORE, "docker-compose.override.prod.yml", "mine/extra.yml"])
    return st.dictionaries(names, st.dictionaries(OTHERS, volumes, max_size=3), max_size=3)


SHAPES = st.builds(
    Shape,
    files=_files(),
    orphans=st.dictionaries(OTHERS, st.tuples(st.booleans(), st.booleans()), max_size=3),
    head=st.sampled_from(["", "# mine\n", "export TZ=UTC\n\n", "EXTRA='a # b'\n", 'LONG="x\ny"\n']),
    port=st.sampled_from([443, 8443]),
)
TOGETHER = st.sets(st.sampled_from(sorted(FAULTS)), min_size=1, max_size=5)


def deployment(shape: Shape, ids: set[str]) -> MemoryPorts:
    """Return a deployment of a shape with these faults."""
    ports, world = healthy("compose")
    site = ports.deployment.site
    names = ["docker-compose.yml", *shape.files]
    site.env = f"{shape.head}COMPOSE_FILE={':'.join(names)}\nWEB_HTTPS_PORT={shape.port}\n{site.env}"
    site.defined_by = dict(shape.files)
    for name, (holds_data, runs) in shape.orphans.items():
        mounts = ("/data",) if holds_data else ()
        add(ports, name, id=f"orphan-{name}", mounts=mounts, state="running" if runs else "exited")
    ports.deployment.inspection.containers.orphaned = tuple(shape.orphans)
    # What data is in runs, or is meant to.
    for name in {one for services in shape.files.values() for one in services}:
        service(ports, name)
    for id in sorted(ids):
        FAULTS[id](ports, world)
    return ports


def without_alternatives(ids: set[str]) -> set[str]:
    """Leave one of faults that exclude each other."""
    for some in ALTERNATIVES:
        ids = ids - set(sorted(ids & some)[1:])
    return ids


def holding_data(ports: MemoryPorts) -> tuple[set[str], set[str], set[str]]:
    """Return what holds data: running containers, running services, services in the files."""
    rows = ports.deployment.inspection.containers.rows
    containers = {one.id for one in rows if one.is_running and (one.mounts or one.service in DATA_SERVICES)}
    running = {one.name for one in ports.runtime.services() if one.running and one.name in DATA_SERVICES}
    facts = ports.deployment.rollout.facts()
    defined = {name for name in facts.images if name in DATA_SERVICES or facts.volumes.get(name)}
    return containers, running, defined


def state(ports: MemoryPorts) -> dict[str, Any]:
    """Return everything that a repair could change."""
    site, inspection = ports.deployment.site, ports.deployment.inspection
    return {
        "env": site.env,
        "copies": len(site.env_copies),
        "containers": [(one.id, one.restart_policy) for one in inspection.containers.rows],
        "folders": list(inspection.host.folders),
        "services": [(one.name, one.running) for one in ports.runtime.services()],
        "log": [(one.service, one.text) for one in ports.runtime.lines],
        "jobs": [(one.id, one.status) for one in ports.jobs.job_rows.values()],
        "edits": [(one.id, one.status) for one in ports.jobs.delta_rows.values()],
        "migrations": ports.directory.migrations,
        "files": dict(site.files),
        "password": ports.conditions.server.password,
        "plans": dict(ports.directory.subscriptions),
    }


def of(diagnosis: Diagnosis, *results: Result) -> set[str]:
    return {one.id for one in diagnosis.findings if one.result in results}


def check(ports: MemoryPorts) -> Diagnosis:
    """Repair everything, twice; return the first diagnosis."""
    before = holding_data(ports)
    made = found(ports, fix=True)
    assert all(had <= has for had, has in zip(before, holding_data(ports), strict=True))
    assert EnvFile(ports.deployment.site.env).values
    ports.deployment.rollout.facts()
    again = found(ports)
    assert not of(made, Result.FIXED) & of(again, Result.FOUND)
    left = state(ports)
    found(ports, fix=True)
    assert state(ports) == left
    return made


def test_every_repair_is_tested() -> None:
    repairs = {one.id for one in EVERYTHING if one.auto is not Auto.NO}
    assert repairs == FAULTS.keys() | IN_ROWS | ON_ENGINES | ON_STACKS
    assert not FAULTS.keys() & (IN_ROWS | ON_ENGINES | ON_STACKS)


@pytest.mark.parametrize("id", FAULTS)
def test_a_repair_alone(id: str) -> None:
    made = check(deployment(Shape({STORE: {"rustfs": ("data",)}}, {}, "", 443), {id}))
    assert id in of(made, Result.FIXED)


@settings(max_examples=12)
@given(shape=SHAPES, ids=TOGETHER)
def test_repairs_together(shape: Shape, ids: set[str]) -> None:
    wanted = without_alternatives(ids)
    made = check(deployment(shape, wanted))
    assert not of(made, Result.FAILED)
