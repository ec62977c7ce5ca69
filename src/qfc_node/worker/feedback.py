"""`core_job.feedback` as clients and operators read it."""

from __future__ import annotations

from typing import Any

from .work import Result

VERSION = "2.0"


def success_feedback(result: Result) -> dict[str, Any]:
    """Return the steps, and the return values of each step under its id in `outputs`."""
    return {
        "feedback_version": VERSION,
        "steps": list(result.steps),
        "outputs": {step["id"]: step["returns"] for step in result.steps},
    }


def failure_feedback(result: Result, exit_code: int | None) -> dict[str, Any]:
    """Return the steps so far, and the error."""
    return {
        **success_feedback(result),
        "error": result.error,
        "error_type": result.error_type,
        "error_class": result.error_class,
        "error_stack": result.error_stack,
        "error_origin": "container",
        "container_exit_code": exit_code,
    }
