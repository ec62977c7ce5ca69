"""Failed jobs explained, on texts that real servers wrote."""

from __future__ import annotations

import pytest

from qfc.stack.failures import SIGNATURES, Cause, classify

CASES = [
    ({"error": "Worker timeout error.", "error_type": "TIMEOUT", "container_exit_code": -1}, "D04", Cause.SERVER),
    ({"error": "Docker engine sigkill.", "error_type": "DOCKER_ENGINE_SIGKILL"}, "D05", Cause.SERVER),
    ({"error": "Job unexpectedly terminated.", "error_origin": "worker_wrapper"}, "D08", Cause.SERVER),
    ({"error": '404 Client Error: Not Found ("network qfieldcloud_default not found")'}, "D01", Cause.SERVER),
    ({"error": "pull access denied for qfieldcloud-qgis, repository does not exist"}, "D02", Cause.SERVER),
    ({"error": "[Errno 2] No such file or directory: '/tmp/tmpab1/feedback.json'"}, "D10", Cause.SERVER),
    ({"error": "boom", "error_type": "API_INTERNAL_SERVER_ERROR", "error_origin": "container"}, "B06", Cause.SERVER),
    ({"error": "no", "error_type": "API_FORBIDDEN", "error_origin": "container"}, "D14-403", Cause.CLIENT),
    ({"error": "full", "error_type": "API_PAYMENT_REQUIRED"}, "H03", Cause.CLIENT),
    ({"error": "not XML", "error_type": "INVALID_PROJECT_FILE", "error_origin": "container"}, "E12", Cause.PROJECT),
    ({"error": "The job did not finish within 600 seconds.", "error_type": "TIMEOUT"}, "D04", Cause.SERVER),
    ({"error": "The job needed more memory than it may have.", "error_type": "OUT_OF_MEMORY"}, "D05", Cause.SERVER),
    ({"error": "tried 3 times", "error_type": "WORKER_DIED", "error_origin": "worker_wrapper"}, "D08", Cause.SERVER),
]


@pytest.mark.parametrize(("feedback", "signature", "cause"), CASES)
def test_known_failures(feedback: dict[str, object], signature: str, cause: Cause) -> None:
    found = classify(feedback, None)
    assert found.signature.split()[0] == signature
    assert found.cause is cause


def test_the_output_tells_what_the_feedback_does_not() -> None:
    found = classify(None, "Starting…\nTimeout error! The job failed to finish within 600 seconds!")
    assert found.signature.startswith("D04")
    assert found.error.startswith("Timeout error!")


def test_what_the_feedback_says_comes_before_the_output() -> None:
    found = classify({"error_type": "TIMEOUT", "error": "Worker timeout error."}, "layer x: invalid_dataprovider")
    assert found.signature.startswith("D04")


def test_an_unknown_failure_keeps_its_words_without_particulars() -> None:
    feedback = {"error": "cannot open '/io/a1/x.gpkg' at 12", "error_type": "UNKNOWN", "error_origin": "container"}
    found = classify(feedback, None)
    other = classify({**feedback, "error": "cannot open '/io/b2/y.gpkg' at 99"}, None)
    assert found.signature == other.signature == "cannot open … at …"
    assert found.cause is Cause.UNKNOWN


def test_the_wrapper_is_the_server() -> None:
    assert classify({"error": "strange", "error_origin": "worker_wrapper"}, None).cause is Cause.SERVER


@pytest.mark.parametrize("feedback", [None, {}, {"error": None}, {"error": 3}, {"error_type": 1}])
def test_nothing_is_told(feedback: dict[str, object] | None) -> None:
    assert classify(feedback, None).cause is Cause.UNKNOWN


def test_ids_are_unique() -> None:
    assert len({signature.id for signature in SIGNATURES}) == len(SIGNATURES)
