"""Every check on four recorded releases: their tables and migrations, and files of their time.

On a server on which all is well nothing is found; of every fault in rows, what finds it on other servers.
"""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from checks_world import YES, answering, found, healthy, on_rows, settle
from lab_world import OF_ROWS
from qfc.operations.lab import lab_break
from qfc.stack.findings import Result
from recorded import RECORDED, recorded
from release_variants import VARIANTS
from shared_database import SharedDatabases
from twins import MemoryPorts
from twins.site import FOLDER

#: The files that were written for the time of each record.
FILES = {"v25_20": "v25.26", "v26_04": "v26.4", "v26_21": "v26.20", "v26_25": "v26.25"}
#: Found by what the application prints, or in new sessions: `tests/integration/test_rows_lab.py` has them.
ELSEWHERE = {"migration-missing", "database-read-only"}
#: What is found because all these faults are there at once, with the jobs that they let fail.
TOGETHER = {"failure-rate"}
#: What nothing can show in a release: projects had no time of their lock.
HIDDEN: Mapping[str, set[str]] = {"v25_20": {"project-locked-for-long"}}


@pytest.fixture
def ports(request: pytest.FixtureRequest, shared_databases: SharedDatabases) -> MemoryPorts:
    release = request.param
    world = shared_databases.world(release)
    settle(world)
    made = on_rows(healthy("compose")[0], world)
    variant = VARIANTS[FILES[release]]
    for name, text in variant.files().items():
        # The image has no number: which PostgreSQL these tests have is no matter of the release.
        made.host.files[FOLDER / name] = (text.replace("db:1", "db").encode(), 0o644)
    made.deployment.site.env = variant.env().replace("REPLICAS='2'", "REPLICAS=2") + "QFC_LAB=1\n"
    printed = "\n".join(recorded(release)["migrations"]["printed"])
    answering(made, "showmigrations", lambda *_: printed)
    return made


@pytest.mark.parametrize(("release", "ports"), [(one, one) for one in RECORDED], indirect=["ports"])
def test_every_check_can_look_and_finds_what_is_wrong(release: str, ports: MemoryPorts) -> None:
    assert [(one.id, one.evidence) for one in found(ports).findings] == []
    faults = [one for one in OF_ROWS if one.id not in ELSEWHERE]
    for one in faults:
        lab_break(ports, one.id, YES)
    made = found(ports).findings
    assert [one.id for one in made if one.result is Result.SKIPPED] == []
    ids = {one.id for one in made}
    assert {one.id for one in faults if not ids & set(one.finds)} == HIDDEN.get(release, set())
    assert ids - {id for one in faults for id in one.finds} == TOGETHER
