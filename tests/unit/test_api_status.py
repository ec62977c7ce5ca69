"""Recorded answers of servers of several releases about their status."""

from __future__ import annotations

import json

import pytest

from qfc.stack.api_status import judge_status
from qfc.stack.model import ApiAnswer, Verdict
from recorded import recorded

OF_2024 = recorded("2024_09")["status"]
#: A default server without a status page of its own names that of its makers.
OF_2026 = recorded("2026_08")["status"]
OF_THE_NODE = {
    "database": "ok",
    "storages": {"default": "ok"},
    "queue": "ok",
    "geodb": "ok",
    "storage": "ok",
}


def answer(document: object, status: int = 200) -> ApiAnswer:
    return ApiAnswer(status, 0.01, json.dumps(document).encode())


@pytest.mark.parametrize("document", [OF_2024, OF_2026, OF_THE_NODE])
def test_a_server_whose_parts_are_ok_is_ok(document: dict[str, object]) -> None:
    found = judge_status(answer(document))
    assert (found.verdict, found.evidence) == (Verdict.OK, "all parts ok")


@pytest.mark.parametrize(
    ("document", "told"),
    [
        ({**OF_2024, "geodb": "error"}, "geodb error"),
        ({**OF_2026, "storage": "error"}, "storage error"),
        ({**OF_2026, "database": "error", "storage": "error"}, "database error, storage error"),
        ({**OF_THE_NODE, "storages": {"default": "ok", "old": "error"}}, "storages.old error"),
        ({**OF_THE_NODE, "queue": "error"}, "queue error"),
    ],
)
def test_a_part_that_is_not_ok_is_named_whatever_the_status_is(document: dict[str, object], told: str) -> None:
    found = judge_status(answer(document))
    assert found.verdict is Verdict.DEGRADED
    assert found.evidence == f"/api/v1/status/ answered 200: {told}."


def test_what_the_operator_wrote_is_shown_and_no_fault() -> None:
    found = judge_status(answer({**OF_2026, "incident_message": "Sync is slow", "maintenance_message": "Tonight"}))
    assert found.verdict is Verdict.OK
    assert found.evidence == "all parts ok; notice of the operator: Sync is slow; notice of the operator: Tonight"


def test_what_the_operator_wrote_is_shown_beside_a_fault() -> None:
    found = judge_status(answer({**OF_2026, "storage": "error", "incident_message": "The disk is full"}))
    assert found.verdict is Verdict.DEGRADED
    assert found.evidence == ("/api/v1/status/ answered 200: storage error; notice of the operator: The disk is full.")


@pytest.mark.parametrize("status", [302, 401, 429, 500, 503])
def test_another_status_is_a_fault_though_all_parts_are_ok(status: int) -> None:
    assert judge_status(answer(OF_2026, status)).verdict is Verdict.DEGRADED


def test_the_reason_of_a_refusal_is_shown() -> None:
    document = {**OF_THE_NODE, "code": "unavailable", "message": "The store is away", "storage": "error"}
    told = "/api/v1/status/ answered 503: storage error, The store is away."
    assert judge_status(answer(document, 503)).evidence == told


@pytest.mark.parametrize("content", [b"", b"<html>Login</html>", b"[]", b'"ok"'])
def test_an_answer_that_is_not_a_servers_own_is_down(content: bytes) -> None:
    assert judge_status(ApiAnswer(200, 0.01, content)).verdict is Verdict.DOWN


def test_an_answer_without_any_part_says_nothing() -> None:
    assert judge_status(answer({"hello": "ok"})).verdict is Verdict.UNKNOWN
