"""An interrupted operation is finished or undone before any other change, on every kind of stack."""

from __future__ import annotations

import pytest

from qfc.errors import QfcError
from qfc.operations.guard import Options, guarded
from qfc.operations.recovery import RECOVERERS, recoverer
from qfc.operations.status import status
from qfc.stack import journal
from qfc.stack.model import Verdict
from twins import MemoryPorts, memory_stack


@pytest.fixture
def ports() -> MemoryPorts:
    made = memory_stack()
    made.runtime.start(None)
    return made


@pytest.mark.parametrize("operation", RECOVERERS)
def test_every_recoverer_can_be_called(operation: str) -> None:
    assert callable(recoverer(operation))


def test_a_stack_without_containers_is_recovered_too(ports: MemoryPorts, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(RECOVERERS, "rehearsal", f"{__name__}:finish_rehearsal")  # pyright: ignore[reportArgumentType]
    journal.write(ports.records, journal.Entry("rehearsal", {"step": 2}))
    with guarded(ports, "users create", target="anna", options=Options()):
        assert ports.records.read("rehearsed") == {"step": 2}
    assert journal.read(ports.records) is None


def finish_rehearsal(ports: MemoryPorts, record: dict[str, int], report: object) -> None:
    ports.records.write("rehearsed", record)
    journal.clear(ports.records)


def test_an_operation_of_another_release_stops_every_change(ports: MemoryPorts) -> None:
    journal.write(ports.records, journal.Entry("teleport", {}))
    with (
        pytest.raises(QfcError, match="this release of qfc cannot finish it"),
        guarded(ports, "users create", target="anna", options=Options()),
    ):
        pytest.fail("The change began.")
    assert ports.lock.holder() is None
    assert ports.audit.entries()[0].result.startswith("failed: teleport was interrupted")


def test_status_reports_an_interrupted_operation_that_nobody_is_at_work_on(ports: MemoryPorts) -> None:
    assert status(ports).verdict is Verdict.OK
    journal.write(ports.records, journal.Entry("restore", {}))
    seen = status(ports)
    assert seen.verdict is Verdict.DEGRADED
    assert seen.reasons == ("restore was interrupted; the next change finishes or undoes it.",)
    ports.lock.take("restore")
    assert status(ports).verdict is Verdict.OK


def test_a_deployment_that_an_earlier_release_began_is_read_and_cleared(ports: MemoryPorts) -> None:
    ports.records.write("deploy.json", {"id": "1"})
    assert journal.read(ports.records) == journal.Entry("deploy", {"id": "1"})
    journal.clear(ports.records)
    assert ports.records.read("deploy.json") is None
