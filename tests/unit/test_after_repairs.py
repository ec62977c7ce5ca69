"""After repairs everything is looked at again: nothing is called fixed that is not, and new faults are found."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from checks_world import found, healthy, the
from qfc.operations.repairs import after_repairs
from qfc.stack.api_status import STATUS
from qfc.stack.findings import Finding, Result, Severity, clear, problem, unknown
from qfc.stack.model import Verdict
from recorded import recorded

WRONG = problem("x", Severity.WARNING, "It is wrong.")
FIXED = replace(WRONG, result=Result.FIXED, verdict=Verdict.OK)
FAILED = replace(WRONG, result=Result.FAILED, evidence="It is wrong. The repair failed: no space.")


@pytest.mark.parametrize(
    ("before", "now", "expected"),
    [
        (FIXED, clear("x"), (Result.FIXED, Verdict.OK)),
        (FIXED, WRONG, (Result.FAILED, Verdict.DEGRADED)),
        (FIXED, unknown("x", "No answer."), (Result.FAILED, Verdict.UNKNOWN)),
        (FAILED, WRONG, (Result.FAILED, Verdict.DEGRADED)),
        (FAILED, clear("x"), (Result.FIXED, Verdict.OK)),
        (WRONG, unknown("x", "No answer."), (Result.SKIPPED, Verdict.UNKNOWN)),
    ],
)
def test_a_finding_has_its_present_verdict(before: Finding, now: Finding, expected: tuple[Result, Verdict]) -> None:
    (one,) = after_repairs([before], [now])
    assert (one.result, one.verdict) == expected


def test_the_reason_of_a_failed_repair_stays() -> None:
    assert after_repairs([FAILED], [WRONG])[0].evidence == FAILED.evidence


def test_what_is_clear_now_is_no_finding_and_what_is_new_is_one() -> None:
    new = problem("new", Severity.CRITICAL, "Broken by the repair.")
    assert after_repairs([WRONG], [clear("x"), new]) == [new]


def test_a_repair_that_breaks_the_store_is_not_ready(monkeypatch: pytest.MonkeyPatch) -> None:
    ports, _ = healthy("compose")
    ports.deployment.site.env += "POSTGRES_PASSWORD=3shJDd2r7Twwkehb\n"
    broken = json.dumps({**recorded("2026_08")["status"], "storage": "error"}).encode()
    answers = ports.api.answers
    monkeypatch.setattr(type(ports.runtime), "recreate", lambda *_: answers.update({STATUS: (200, broken)}))
    made = found(ports, fix=True)
    assert the(made, "A10-passwords").result is Result.FIXED
    assert "storage error" in the(made, "A17").evidence
    assert not made.ready
