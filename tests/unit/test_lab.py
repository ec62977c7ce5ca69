"""The fault lab on the memory twins: a fault is created, found by its checks, undone without a trace.

`tests/integration/test_rows_lab.py` has the faults in rows.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import pytest

from lab_world import OF_ROWS, REAL_ONLY
from qfc.checks import EVERYTHING
from qfc.drivers.deployment.self_signed import self_signed
from qfc.errors import CommandError, NotConfirmedError, NotFoundError, PartlyDoneError, RefusedError
from qfc.lab import FAULTS, Fault, fault
from qfc.lab.disk import why_spared
from qfc.operations import lab_book
from qfc.operations.guard import Options
from qfc.operations.lab import lab_break, lab_list, lab_mend
from qfc.operations.sync_diagnose import diagnose
from qfc.stack.model import Disk, Kind, Revision, Worker
from queue_world import moment
from twins import MemoryPorts, Release, memory_deployment, memory_stack

YES, DRY = Options(yes=True), Options(yes=True, dry_run=True)
ENV = (
    "# the lab\nQFC_LAB=1\nQFIELDCLOUD_WORKER_REPLICAS=2\nQFIELDCLOUD_HOST=field.example.org\nDEBUG=0\n"
    'ENVIRONMENT=production\nSECRET_KEY=a-b-c\nDJANGO_ALLOWED_HOSTS="field.example.org app nginx"\n'
    "EMAIL_HOST=mail.example.org\nHOST_POSTGRES_PORT=5433\n"
    # As official examples have it: JSON over several lines.
    'STORAGES=\'{\n    "default": {\n        "BACKEND": "s3", "OPTIONS": {"secret_key": "a#b"}\n    }\n}\'\n'
)
#: Created and undone in memory; their checks need files or an engine, so the acceptance tests find them.
FOUND_ON_REAL_STACKS = {"https-port-not-public", "network-name-wrong"}
IN_MEMORY = [one for one in FAULTS if one.id not in REAL_ONLY and one not in OF_ROWS]


def lab(one: Fault | None = None) -> MemoryPorts:
    """Return a healthy stack of the first kind that can have a fault."""
    kind = one.kinds[0] if one else Kind.EMBEDDED
    if kind is Kind.EMBEDDED:
        ports = memory_stack()
    else:
        ports = memory_deployment(Release(Revision("a" * 40, "v1"), {}, ("core.0001",)))
        ports.deployment.site.env = ENV
    ports.clock.moment = moment()
    ports.runtime.start(None)
    ports.directory.migrations = ("core.0001", "core.0002")
    ports.jobs.worker_rows += [Worker("w1", "idle"), Worker("w2", "idle")]
    return ports


def found(ports: MemoryPorts) -> set[str]:
    """Return the ids of the findings of a diagnosis."""
    return {one.id for one in diagnose(ports, EVERYTHING, YES, proof=False).findings}


def traces(ports: MemoryPorts) -> str:
    """Return everything that a fault may have left: services, `.env`."""
    services = [(one.name, one.state, one.running) for one in ports.runtime.services()]
    env = ports.deployment.site.env if ports.kind is Kind.COMPOSE else ""
    return f"{services}\n{env}"


@pytest.mark.parametrize("one", IN_MEMORY, ids=lambda one: one.id)
def test_a_fault_is_found_by_its_checks_and_leaves_nothing_behind(one: Fault) -> None:
    ports = lab(one)
    before = traces(ports)
    assert found(ports) == set()
    lab_break(ports, one.id, YES)
    assert traces(ports) != before
    if one.id not in FOUND_ON_REAL_STACKS:
        assert found(ports) & set(one.finds)
    assert [line.id for line in lab_list(ports).faults if line.broken_since] == [one.id]
    made = lab_mend(ports, None, YES)
    assert (made.changed, made.broken) == ((one.id,), ())
    assert traces(ports) == before
    assert found(ports) == set()
    assert list(ports.objects.keys()) == []
    assert [(entry.command, entry.result) for entry in ports.audit.entries()] == [
        ("lab mend", "0 faults left"),
        ("lab break", "done"),
    ]


@pytest.mark.parametrize("one", IN_MEMORY, ids=lambda one: one.id)
def test_a_lab_that_was_killed_before_it_made_the_fault_is_mended(one: Fault) -> None:
    ports = lab(one)
    before = traces(ports)
    lab_book.write(ports, [lab_book.Broken(one.id, moment(), "anna@memory", one.look(ports))])
    assert lab_mend(ports, one.id, YES).changed == (one.id,)
    assert traces(ports) == before
    assert lab_book.read(ports) == ()


def test_there_are_fifty_and_more_and_each_says_what_finds_it() -> None:
    assert len({one.id for one in FAULTS}) == len(FAULTS)
    assert len([one for one in FAULTS if Kind.EMBEDDED in one.kinds]) >= 50
    for one in FAULTS:
        assert one.title, one.id
        assert one.finds, one.id
        assert set(one.id) <= set("abcdefghijklmnopqrstuvwxyz-"), one.id


def test_a_deployment_that_does_not_say_that_it_is_a_lab_is_left_alone() -> None:
    ports = lab(fault("debug-on"))
    for value in ("", "QFC_LAB=0\n", "QFC_LAB=yes\n"):
        ports.deployment.site.env = ENV.replace("QFC_LAB=1\n", value)
        before = ports.deployment.site.env
        with pytest.raises(RefusedError, match="not a lab") as caught:
            lab_break(ports, "debug-on", YES)
        assert "QFC_LAB=1" in caught.value.hint
        assert ports.deployment.site.env == before


def test_what_was_broken_is_mended_though_it_is_no_lab_any_more() -> None:
    ports = lab(fault("debug-on"))
    lab_break(ports, "debug-on", YES)
    ports.deployment.site.env = ports.deployment.site.env.replace("QFC_LAB=1\n", "")
    lab_mend(ports, None, YES)
    assert "DEBUG=0" in ports.deployment.site.env


def test_an_embedded_stack_has_no_faults_of_containers() -> None:
    with pytest.raises(RefusedError, match="of the kind compose"):
        lab_break(lab(), "debug-on", YES)


def test_a_fault_is_made_once() -> None:
    ports = lab(fault("debug-on"))
    lab_break(ports, "debug-on", YES)
    with pytest.raises(RefusedError, match="already active"):
        lab_break(ports, "debug-on", YES)


def test_services_are_recreated_when_all_lines_of_the_settings_are_right_again(monkeypatch: pytest.MonkeyPatch) -> None:
    ports = lab(fault("debug-on"))
    before = ports.deployment.site.env
    for one in ("storages-without-default", "network-name-wrong", "debug-on"):
        lab_break(ports, one, YES)
    read: list[str] = []
    recreate = ports.runtime.recreate

    def spy(names: Sequence[str] | None, *, now: bool = False) -> None:
        read.append(ports.deployment.site.env)
        recreate(names, now=now)

    monkeypatch.setattr(ports.runtime, "recreate", spy)
    lab_mend(ports, None, YES)
    assert read == [before]


def test_unknown_faults_and_faults_that_are_not_made() -> None:
    with pytest.raises(NotFoundError):
        lab_break(lab(), "nothing", YES)
    with pytest.raises(NotFoundError):
        lab_mend(lab(), "nothing", YES)
    with pytest.raises(RefusedError, match="not active"):
        lab_mend(lab(), "edits-lost", YES)
    assert lab_mend(lab(), None, YES).changed == ()


def test_nothing_is_broken_without_a_yes_or_in_a_dry_run() -> None:
    ports = lab()
    before = traces(ports)
    with pytest.raises(NotConfirmedError):
        lab_break(ports, "edits-lost", Options())
    assert lab_break(ports, "edits-lost", DRY).steps == ("Break: Edits were pushed, but no job will apply them",)
    assert traces(ports) == before
    assert lab_book.read(ports) == ()


def test_several_faults_are_mended_the_last_one_first() -> None:
    ports = lab(fault("debug-on"))
    first, second, third = ("debug-on", "host-not-allowed", "port-collision")
    for one in (first, second, third):
        lab_break(ports, one, YES)
    assert lab_mend(ports, second, YES).broken == (first, third)
    assert lab_mend(ports, None, YES).changed == (third, first)


def test_what_is_broken_is_read_by_its_owner_alone() -> None:
    ports = lab_on(Disk(SMALL, SMALL, "/memory"))
    lab_break(ports, "disk-full", YES)
    document = ports.records.read(lab_book.NAME) or {}
    assert [one["id"] for one in document["broken"]] == ["disk-full"]


def test_a_fault_that_fails_half_way_stays_in_the_book(monkeypatch: pytest.MonkeyPatch) -> None:
    ports = lab()

    def stop(names: object, *, now: bool = False) -> None:
        raise CommandError("supervisord does not answer")

    monkeypatch.setattr(ports.runtime, "stop", stop)
    with pytest.raises(PartlyDoneError) as caught:
        lab_break(ports, "workers-stopped", YES)
    assert "qfc lab mend workers-stopped" in caught.value.hint
    assert [one.id for one in lab_book.read(ports)] == ["workers-stopped"]
    assert ports.audit.entries()[0].result.startswith("partly done")


@pytest.mark.parametrize("id", ["workers-stopped", "worker-killed-at-work"])
def test_workers_run_again_if_their_fault_cannot_be_made_or_undone(id: str) -> None:
    """The rows of such a fault fail in a database that memory does not have."""
    ports = lab()
    ports.runtime.start(None)
    with pytest.raises(PartlyDoneError):
        lab_break(ports, id, YES)
    assert all(one.running for one in ports.runtime.services())
    ports.runtime.stop(["worker_wrapper"])
    with pytest.raises(PartlyDoneError):
        lab_mend(ports, id, YES)
    assert all(one.running for one in ports.runtime.services())


SMALL = 500 * 1000**2


def lab_on(disk: Disk) -> MemoryPorts:
    """Return a running stack on that disk, with the programs that fill it and free it."""
    ports = lab()
    ports.host.space = disk
    ports.host.programs = {"sh": lambda *_: (0, "", ""), "rm": lambda *_: (0, "", "")}
    return ports


@pytest.mark.parametrize(
    ("disk", "reason"),
    [
        (Disk(SMALL, 100 * 1000**3, "/memory"), "the limit is 2 GiB"),
        (Disk(1, 3 * 1024**3, "/memory/memory"), "it has 3.0 GiB"),
        (Disk(SMALL, SMALL, "/"), "not mounted for this stack alone"),
        (Disk(SMALL, SMALL, "/mnt"), "not mounted for this stack alone"),
        (Disk(SMALL, SMALL), "does not fill the disk on this machine"),
    ],
)
def test_a_disk_on_which_others_would_suffer_is_not_filled(disk: Disk, reason: str) -> None:
    ports = lab_on(disk)
    with pytest.raises(RefusedError, match=re.escape(reason)) as caught:
        lab_break(ports, "disk-full", YES)
    assert "mount -t tmpfs" in caught.value.hint
    assert ports.host.ran == []
    assert lab_book.read(ports) == ()


@pytest.mark.parametrize("shared", ["/tmp", "/dev/shm", "/"])
def test_a_disk_of_everybody_is_not_filled_though_a_stack_lies_right_there(shared: str) -> None:
    assert why_spared(Disk(SMALL, SMALL, shared), Path(shared) / "lab")


@pytest.mark.parametrize("place", ["/memory", "/memory/memory"])
def test_a_small_disk_of_the_stack_alone_is_filled_and_freed(place: str) -> None:
    ports = lab_on(Disk(SMALL, SMALL + 1, place))
    lab_break(ports, "disk-full", YES)
    (filling,) = ports.host.ran
    assert filling[4:] == ("/memory/memory/qfc-lab-fills-the-disk", str(SMALL), str(SMALL + 1), "16384")
    assert lab_mend(ports, None, YES).broken == ()
    assert ports.host.ran[1:] == [("rm", "-f", "/memory/memory/qfc-lab-fills-the-disk")]
    assert found(ports) == set()


def test_a_lab_that_was_killed_while_it_filled_the_disk_is_mended() -> None:
    ports, one = lab_on(Disk(SMALL, SMALL, "/memory")), fault("disk-full")
    lab_book.write(ports, [lab_book.Broken(one.id, moment(), "anna@memory", one.look(ports))])
    assert lab_mend(ports, None, YES).broken == ()
    assert ports.host.ran == [("rm", "-f", "/memory/memory/qfc-lab-fills-the-disk")]
    assert lab_book.read(ports) == ()


def test_a_stack_that_did_not_run_is_not_started_by_freeing_its_disk() -> None:
    ports = lab_on(Disk(SMALL, SMALL, "/memory"))
    ports.runtime.stop(None)
    lab_break(ports, "disk-full", YES)
    lab_mend(ports, None, YES)
    assert not any(one.running for one in ports.runtime.services())


def test_a_certificate_of_the_lab_is_what_it_is_meant_to_be() -> None:
    from qfc.drivers.deployment.certificates import from_pem

    certificate, key = self_signed("field.example.org", moment(), (-90, -1))
    read = from_pem(certificate.decode())
    assert read.names == ("field.example.org",)
    assert read.not_after == moment() - timedelta(days=1)
    assert b"PRIVATE KEY" in key


@pytest.mark.parametrize("text", ["{broken", '{"broken": [{}]}', '{"broken": 1}'])
def test_a_damaged_book_is_said_to_be_one(text: str) -> None:
    ports = lab()
    ports.records.write_text(lab_book.NAME, text)
    with pytest.raises(Exception, match=r"lab\.json.* cannot be read"):
        lab_list(ports)


def test_every_fault_is_found_by_a_check_that_there_is() -> None:
    known = {check.id for check in EVERYTHING} | {"proof"}
    assert {name for one in FAULTS for name in one.finds} <= known
    assert len(FAULTS) >= 50
