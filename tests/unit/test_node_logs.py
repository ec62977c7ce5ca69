"""The node's log: one JSON object per line, with the id of the request."""

from __future__ import annotations

import json
import logging

from qfc_node.logs import JsonFormatter, request_id


def line(message: str, *args: object) -> dict[str, object]:
    record = logging.LogRecord("qfc_node.api", logging.WARNING, "views.py", 7, message, args, None)
    text = JsonFormatter().format(record)
    assert "\n" not in text
    parsed: dict[str, object] = json.loads(text)
    return parsed


def test_a_line_is_json_with_the_keys_of_the_official_log() -> None:
    written = line("two\nlines of %s", "text")
    assert {"ts", "level", "name", "message", "request_id", "filename", "lineno", "source"} <= set(written)
    assert (written["message"], written["level"], written["request_id"]) == ("two\nlines of text", "WARNING", "none")


def test_a_line_names_the_request_that_is_being_answered() -> None:
    token = request_id.set("abc-1")
    assert line("x")["request_id"] == "abc-1"
    request_id.reset(token)
    assert line("x")["request_id"] == "none"
