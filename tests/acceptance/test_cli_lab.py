"""`qfc lab` on running stacks: each fault is created, the doctor finds it, it is undone, the doctor finds nothing."""

from __future__ import annotations

import io
import json
import stat
import time
from collections.abc import Iterator, Sequence
from contextlib import redirect_stdout
from typing import Any

import pytest

from compose_world import ADMIN, Deployment, as_stack
from lab_world import PROVEN, faults_of
from qfc.cli.main import run
from qfc.lab import FAULTS, Fault
from qfc.lab.base import RowFault
from qfc.lab.settings import Setting
from qfc.stack.model import Kind
from stack import NAME, Stack, running_stack

#: On a busy machine a store needs some seconds to start, and until then the API says that it has none.
SETTLES_S = 60
#: Findings that the tests' deployments cause on purpose: their certificate is self-signed.
EXPECTED = {"B09"}
#: Faults that only official workers show: the tests' workers run their jobs themselves, without a limit.
#: The application of the tests compares no port, as official ones since v25.27.
OFFICIAL_ONLY = {"project-slow", "temporary-folder-leaked", "network-name-wrong", "https-port-not-public"}
#: Faults that only a deployment can have. The others are created on the embedded stack, through the same ports.
OF_DEPLOYMENTS = [one for one in faults_of(Kind.COMPOSE) if Kind.EMBEDDED not in one.kinds]
#: What the application's log remembers of an earlier fault, for an hour.
LOGGED = {"B01-log"}
#: Faults of official servers that the deployment of the tests cannot have, and why `break` refuses them there.
IMPOSSIBLE = {"cron-stopped": "no table django_cron_cronjoblog"}
#: Created on a separate disk: see test_cli_full_disk.py.
ON_OWN_DISK = {"disk-full"}
#: Faults whose repair changes settings that only official servers have.
OF_OTHER_SERVERS = {"D04-jobs", "D05-jobs", "C11-jobs", "B06-jobs"}
#: Their repairs apply edits again. A worker that is quick fails on them at once, because the project of the lab has no
#: files, and they are found again. `tests/integration/test_rows_work.py` insists on the repairs where no worker runs.
APPLIED_AGAIN = {"F08", "F09"}
#: Faults that are repaired before they are undone, because that takes no extra time.
REPAIRED_THERE = {"certificate-missing", "certificate-not-served", "restart-policy-missing"}
POSSIBLE = [one for one in OF_DEPLOYMENTS if one.id not in {*IMPOSSIBLE, *OFFICIAL_ONLY}]


@pytest.fixture(scope="module")
def embedded() -> Iterator[Stack]:
    with running_stack(workers=2) as running:
        running.qfc("users", "create", ADMIN, "--superuser", "--generate")
        yield running


@pytest.fixture(scope="module")
def lab_here(deployed_here: Deployment) -> Iterator[Stack]:
    """The deployment on this machine, configured as a lab, with a QGIS image that workers start."""
    place = deployed_here.place / ".env"
    before = place.read_text()
    image = f"{deployed_here.project}-qgis"
    deployed_here.engine.docker("tag", f"{deployed_here.project}-worker_wrapper", image)
    place.write_text(f"{before}QFC_LAB=1\nQFIELDCLOUD_QGIS_IMAGE_NAME={image}\n")
    with as_stack(deployed_here) as running:
        yield running
    place.write_text(before)
    deployed_here.engine.docker("image", "rm", image, check=False)


def called(stack: Stack, *arguments: str) -> Any:
    """Call the command line in this process: hundreds of calls need no new Python process."""
    said = io.StringIO()
    with pytest.MonkeyPatch.context() as patched, redirect_stdout(said):
        for name in ("QFC_HOME", "QFC_CONFIG"):
            patched.setenv(name, stack.environment[name])
        run(["--json", "--yes", "--quiet", *arguments])
    return json.loads(said.getvalue())


def doctor(stack: Stack, *, proof: bool = False) -> set[str]:
    """Return the ids of the doctor's findings, without checks that could not look."""
    made = called(stack, "doctor", *([] if proof else ["--no-proof"]))
    assert "findings" in made, made
    return {one["id"] for one in made["findings"] if one["result"] == "found"}


def settled(stack: Stack, healthy: set[str]) -> set[str]:
    """Return what the doctor finds once services that were just recreated, the store above all, had time to start."""
    seen = doctor(stack) - LOGGED
    deadline = time.monotonic() + SETTLES_S
    while seen != healthy and time.monotonic() < deadline:
        time.sleep(1)
        seen = doctor(stack) - LOGGED
    return seen


def repaired(stack: Stack) -> dict[str, str]:
    """Return the result of each finding with an automatic repair."""
    findings = called(stack, "doctor", "--no-proof", "--fix")["findings"]
    return {one["id"]: one["result"] for one in findings if one["auto"] != "no"}


def broken_and_mended(stack: Stack, fault: Fault, healthy: set[str], *, repair: bool = False) -> None:
    made = called(stack, "lab", "break", fault.id)
    try:
        assert made.get("broken") == [fault.id], made
        if repair:
            results = repaired(stack)
            assert [results.get(id) for id in fault.finds] == ["fixed"], results
        seen = set(fault.finds) if repair else doctor(stack, proof=fault.id in PROVEN)
    finally:
        mended = called(stack, "lab", "mend")
    assert (mended.get("changed"), mended.get("broken")) == ([fault.id], []), mended
    assert seen & set(fault.finds), f"{fault.finds} were to be found, and were {seen}"
    assert settled(stack, healthy) == healthy


def test_faults_in_rows_are_found_all_at_once_and_undone(embedded: Stack) -> None:
    """Each fault has its own account and project, so that no fault hides another."""
    wanted = [fault for fault in faults_of(Kind.EMBEDDED) if isinstance(fault, RowFault)]
    try:
        for fault in wanted:
            assert fault.id in called(embedded, "lab", "break", fault.id)["broken"]
        seen = doctor(embedded)
        results = repaired(embedded)
    finally:
        mended = called(embedded, "lab", "mend")
    assert mended.get("broken") == [], mended
    assert [fault.id for fault in wanted if not seen & set(fault.finds)] == []
    unrepaired = {id: result for id, result in results.items() if result != "fixed" and id not in APPLIED_AGAIN}
    assert set(unrepaired) == OF_OTHER_SERVERS, unrepaired
    assert results.keys() >= APPLIED_AGAIN
    assert len(results) > len(OF_OTHER_SERVERS)
    assert doctor(embedded) == set()


@pytest.mark.parametrize(
    "fault",
    [one for one in faults_of(Kind.EMBEDDED) if not isinstance(one, RowFault) and one.id not in ON_OWN_DISK],
    ids=lambda fault: fault.id,
)
def test_a_fault_of_an_embedded_stack_is_found_and_undone(embedded: Stack, fault: Fault) -> None:
    broken_and_mended(embedded, fault, set())


def test_the_disk_of_a_machine_is_not_filled(embedded: Stack) -> None:
    answer = embedded.qfc("lab", "break", "disk-full", check=False)
    assert answer["error"]["code"] == "refused"
    assert "mount -t tmpfs" in answer["error"]["hint"]
    assert [one["id"] for one in embedded.qfc("lab", "list")["faults"] if one["broken_since"]] == []


@pytest.mark.docker
def test_a_deployment_that_is_no_lab_is_left_alone(deployed_here: Deployment) -> None:
    answer = deployed_here.run("--json", "--yes", "lab", "break", "debug-on")
    assert answer.code == 4
    assert "QFC_LAB=1" in answer.json["error"]["hint"]


def lines_of(fault: Setting) -> set[str]:
    passing_by = {"DEBUG"} if "QFIELDCLOUD_WORKER_QFIELDCLOUD_URL" in fault.values else set[str]()
    return {*fault.values, *passing_by}


def rounds(settings: Sequence[Setting]) -> list[list[Setting]]:
    """Return groups of faults that change different lines of .env, so that none hides another.

    In debug mode workers may bypass nginx. Without its files Compose reports nothing, so faults of these are alone.
    """
    alone = [fault for fault in settings if "COMPOSE_FILE" in fault.values]
    found: list[list[Setting]] = []
    for fault in settings:
        if fault in alone:
            continue
        free = [one for one in found if not set().union(*map(lines_of, one)) & lines_of(fault)]
        if free:
            free[0].append(fault)
        else:
            found.append([fault])
    return [*found, *([fault] for fault in alone)]


@pytest.mark.docker
@pytest.mark.parametrize(
    "faults",
    rounds([one for one in POSSIBLE if isinstance(one, Setting)]),
    ids=lambda faults: faults[0].id,
)
def test_faults_of_settings_are_found_at_once_and_undone(lab_here: Stack, faults: list[Setting]) -> None:
    try:
        for fault in faults:
            assert fault.id in called(lab_here, "lab", "break", fault.id)["broken"]
        seen = doctor(lab_here)
    finally:
        mended = called(lab_here, "lab", "mend")
    assert mended.get("broken") == [], mended
    assert [fault.id for fault in faults if not seen & set(fault.finds)] == []
    assert settled(lab_here, EXPECTED) == EXPECTED


@pytest.mark.docker
@pytest.mark.parametrize("fault", [one for one in POSSIBLE if not isinstance(one, Setting)], ids=lambda fault: fault.id)
def test_a_fault_of_a_deployment_is_found_and_undone(lab_here: Stack, fault: Fault) -> None:
    broken_and_mended(lab_here, fault, EXPECTED, repair=fault.id in REPAIRED_THERE)


@pytest.mark.docker
@pytest.mark.parametrize("id", IMPOSSIBLE)
def test_a_fault_that_a_deployment_cannot_have_is_refused(lab_here: Stack, id: str) -> None:
    answer = lab_here.qfc("lab", "break", id, check=False)
    assert answer["error"]["code"] == "refused"
    assert IMPOSSIBLE[id] in answer["error"]["message"]


def test_what_is_broken_is_listed_and_only_its_owner_reads_it(embedded: Stack) -> None:
    embedded.qfc("lab", "break", "edits-lost")
    try:
        listed: list[dict[str, Any]] = embedded.qfc("lab", "list")["faults"]
        assert len(listed) == len(FAULTS)
        assert [one["id"] for one in listed if one["broken_since"]] == ["edits-lost"]
        book = embedded.home / NAME / "lab.json"
        assert stat.S_IMODE(book.stat().st_mode) == 0o600
        again = embedded.qfc("lab", "break", "edits-lost", check=False)
        assert again["error"]["code"] == "refused"
    finally:
        embedded.qfc("lab", "mend", "edits-lost")
    entries = embedded.qfc("audit")["entries"]
    assert [(one["command"], one["target"]) for one in entries[:3]] == [
        ("lab mend", "edits-lost"),
        ("lab break", "edits-lost"),
        ("lab break", "edits-lost"),
    ]


def test_a_dry_run_says_what_would_be_broken(embedded: Stack) -> None:
    made = embedded.qfc("--dry-run", "lab", "break", "database-stopped")
    assert (made["dry_run"], made["steps"]) == (True, ["Break: The database is stopped"])
    assert doctor(embedded) == set()
